"""Files for the operators' own tools: Prometheus's rules with their tests, a runbook, a dashboard.

They run nowhere here; the bounds in them are a beginning, to be changed where a site knows better.
"""

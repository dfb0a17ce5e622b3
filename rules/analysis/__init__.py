"""What a policy officer needs to trust a policy: its cells, its coverage, what a change changes."""

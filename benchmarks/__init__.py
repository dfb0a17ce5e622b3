"""Measurements, side by side, with machine, workload and spread. Never run as tests."""

"""The operators' web desk, and what programs ask for: metrics, health, checks."""

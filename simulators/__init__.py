"""A real SMSC and its phones, for tests, demos and load."""

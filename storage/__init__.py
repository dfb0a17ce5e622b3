"""Durable decisions: the store contract, SQLite behind it, the register."""

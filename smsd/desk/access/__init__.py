"""Who comes in: people, sessions, tokens."""

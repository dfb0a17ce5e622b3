"""Who may come in: people, their sessions, tokens, and what they did."""

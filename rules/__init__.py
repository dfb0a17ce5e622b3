"""The policy engine: SMS text and facts in, decision and reply out; pure."""

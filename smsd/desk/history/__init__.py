"""Counts become history: sampled every few seconds, kept in the store, drawn as charts."""

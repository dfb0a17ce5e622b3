"""A policy and its decisions in words, for people: tables, pages, traces; four languages."""

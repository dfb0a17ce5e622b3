"""Twisted: transports, binds, the commit lane and the outbox."""

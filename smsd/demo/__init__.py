"""`smsd demo`: a simulated SMSC, the real daemon, and a conversation as the phones see it."""

from smsd.demo.stage import play

__all__ = ["play"]

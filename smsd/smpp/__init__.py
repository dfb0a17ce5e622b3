"""SMPP 3.4, sans-IO: bytes in, values out, and back; no sockets, no clock, no Twisted."""

"""Servers that behave as the platforms do, on loopback."""

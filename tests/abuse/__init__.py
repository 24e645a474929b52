"""Requests that nobody should send: never a 500, and nothing told that should not be."""

"""Whole processes that are killed, against platforms that fail."""

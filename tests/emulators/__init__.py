"""Platforms as this program sees them, on loopback, with their limits enforced."""

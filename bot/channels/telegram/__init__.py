"""Telegram: polling or webhook in, HTML and buttons out, nothing lost and nothing twice."""

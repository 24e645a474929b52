"""The web chat: one page that works with and without JavaScript, and its JSON."""

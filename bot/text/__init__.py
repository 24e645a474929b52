"""Spelling: clean text, numerals, pinyin, templates. Knows nothing of reforms."""

"""The query log: every question (redacted), what was answered, and the citizen's verdict."""

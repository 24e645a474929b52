"""What the log says is missing: questions that failed, grouped by meaning, on their way to an entry."""

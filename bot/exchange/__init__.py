"""FAQ files of other systems → knowledge YAML, and back."""

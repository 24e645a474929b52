"""YAML → Book: bytes, nodes with positions, schema, cross-references."""

"""Tasks and searches in a few numbers each."""

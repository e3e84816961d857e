"""Views of the searched space: its sphere and what was learned about it."""

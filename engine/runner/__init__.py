"""One run: its stages, its state, and what it records."""

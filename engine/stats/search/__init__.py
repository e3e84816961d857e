"""Statistics of spaces, searches and what is transferred."""

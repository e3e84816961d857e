"""What a search remembers of others, and how it is used."""

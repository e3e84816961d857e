"""The user's own files: strict readers, and storage under their SHA-256."""

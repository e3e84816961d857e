"""The user's own files: read strictly, kept under their checksums."""

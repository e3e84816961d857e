"""Runs as web pages that any static host can serve, and that open from a disk."""

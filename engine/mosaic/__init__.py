"""Builds Mosaic, the project's own table of trained architectures."""

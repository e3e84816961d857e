"""Builds our own table of trained architectures."""

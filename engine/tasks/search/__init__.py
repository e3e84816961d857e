"""Families of architecture spaces: one file per space."""

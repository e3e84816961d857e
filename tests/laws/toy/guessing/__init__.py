"""Families of guessing games."""

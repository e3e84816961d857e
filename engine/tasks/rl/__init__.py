"""Families of environments; each file holds the environment and its distribution."""

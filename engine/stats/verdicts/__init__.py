"""Sentences about what was found, one file per kind of task."""

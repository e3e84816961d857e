"""Families of tasks, one file each, by kind."""

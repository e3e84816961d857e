"""Baselines that every learned method must be compared with."""

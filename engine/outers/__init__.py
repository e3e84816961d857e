"""Outer rules: how meta-weights are updated by an outer gradient."""

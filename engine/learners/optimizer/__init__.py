"""Learned optimizers."""

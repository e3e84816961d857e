"""Optimizers that are learned."""

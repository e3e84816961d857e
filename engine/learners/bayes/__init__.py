"""Probabilistic learners: they predict a distribution, not one value."""

"""Gradient-based few-shot learners: a start from which a few steps go far."""

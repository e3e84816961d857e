"""Gradient-based few-shot learners: initial weights that adapt in a few steps."""

"""Learners against independent truths."""

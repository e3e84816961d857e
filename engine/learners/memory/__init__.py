"""Learners that read the support, or remember it, instead of fitting weights."""

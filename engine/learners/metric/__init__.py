"""Metric few-shot learners: an embedding in which the nearest class is predicted."""

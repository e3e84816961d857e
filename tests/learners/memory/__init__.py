"""Metric learners, against closed forms."""

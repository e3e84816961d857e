"""Intervals, paired comparisons, survival, thresholds."""

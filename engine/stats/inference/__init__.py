"""Inference: intervals, paired tests, Holm correction, survival, tail risk."""

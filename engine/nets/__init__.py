"""Functional nets: weights and inputs in, outputs out; the member axis comes first."""

"""Functional nets: weights in, answers out, the member axis always first."""

"""Optimization tasks: train a base learner on data, or minimize a bare function."""

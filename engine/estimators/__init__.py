"""Estimators of the outer gradient, for any problem that can be unrolled."""

"""Metascope's engine: everything that computes or keeps; it knows no screen."""

from engine import portable_arithmetic

__version__ = "0.3.0"

# Before numpy and torch are loaded, for they read it then.
portable_arithmetic.apply_settings()

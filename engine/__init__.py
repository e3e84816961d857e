"""Metascope's engine: everything that computes or keeps; it knows no screen."""

from engine import portable_arithmetic

__version__ = "0.3.0"

portable_arithmetic.settle()  # before numpy and torch are loaded: they read it then

"""Metascope's engine: everything that computes or keeps; it knows no screen."""

from engine import arithmetic

__version__ = "0.3.0"

arithmetic.settle()  # before numpy and torch are loaded: they read it then

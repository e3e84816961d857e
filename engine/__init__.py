"""Metascope's engine: everything that computes or keeps; it knows no screen."""

__version__ = "0.1.0"

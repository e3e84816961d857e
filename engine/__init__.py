"""Metascope's engine: everything that computes or keeps; it knows no screen."""

__version__ = "0.3.0"

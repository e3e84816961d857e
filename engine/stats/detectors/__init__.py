"""Detectors: each looks for one known way to fool oneself."""

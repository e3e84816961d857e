"""The page Compare: up to eight runs, their curves, numbers and settings."""

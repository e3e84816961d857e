"""Shifts: a setting changed by a severity; 0 leaves it as it is."""

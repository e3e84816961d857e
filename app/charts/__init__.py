"""A run's blocks as figures: pure, one file per kind of task."""

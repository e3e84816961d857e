"""Traces reduced to metrics of each task, one file per kind of task."""

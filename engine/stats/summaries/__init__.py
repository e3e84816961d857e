"""Summaries: traces reduced to per-task metrics, and tables of them."""

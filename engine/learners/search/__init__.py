"""Search strategies that learn: within a search, or from other tasks."""

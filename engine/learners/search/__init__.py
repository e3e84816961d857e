"""Search strategies that learn, within a search or across tasks."""

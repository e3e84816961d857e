"""Real data: what comes along, what is fetched, and where it lies."""

"""What a run found, in words and rows: pure functions of a run, for page and report."""

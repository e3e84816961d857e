"""What the pages show: each run, all runs, and what compares them."""

"""What the calls of a run rest on: comparisons, tasks, scores, published figures."""

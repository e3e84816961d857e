"""Statistics of runs: intervals, claims, summaries, verdicts and diagnoses."""

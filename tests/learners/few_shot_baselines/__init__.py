"""Few-shot baselines, against closed forms and another library."""

"""How a run was trained: its curves, what was learned, checks, and cost."""

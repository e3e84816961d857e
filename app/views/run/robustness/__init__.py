"""How far what a run learned reaches: shifts, other families, other experiments."""

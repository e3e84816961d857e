"""The page Runs: filters, the list, what can be done with the selected, groups."""

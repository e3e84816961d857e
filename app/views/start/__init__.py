"""The page Start: what the lab is for, and ways into it."""

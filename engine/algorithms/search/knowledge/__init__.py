"""Knowledge transfer between searches: the base, and the strategies' use of it."""

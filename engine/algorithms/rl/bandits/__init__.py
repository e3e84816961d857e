"""What strategies for bandits share: counts of pulls, and exact dynamic programs."""

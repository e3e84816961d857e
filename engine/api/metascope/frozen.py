"""Meta-trained learners, frozen, for use outside the lab."""

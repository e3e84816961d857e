"""What reinforcement-learning estimators share."""

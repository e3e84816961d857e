"""What several estimators by reinforcement share."""

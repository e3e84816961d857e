"""What several few-shot learners share."""

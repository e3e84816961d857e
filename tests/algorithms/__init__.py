"""What learners share, against closed forms."""

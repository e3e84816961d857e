"""What several search strategies share."""

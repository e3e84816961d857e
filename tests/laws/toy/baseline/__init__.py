"""What guessing has to beat."""

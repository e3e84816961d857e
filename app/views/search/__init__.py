"""What only searches have: the space, the knowledge, the claims."""

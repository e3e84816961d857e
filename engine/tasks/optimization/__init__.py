"""Tasks to be optimized: a base learner to be trained, or a bare function."""

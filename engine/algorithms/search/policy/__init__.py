"""Search policies: their nets, policy gradients, replay and meta-training."""

"""What optimizers, hand-designed and learned, share."""

"""Few-shot families: episodes of classes or of functions of one input."""

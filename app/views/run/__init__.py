"""One run on its page, from its header to its exports."""

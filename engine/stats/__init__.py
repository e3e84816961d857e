"""Statistics: arrays in, numbers out; the worker's last step and the page's ruler."""

"""A spec and the form that stands for it, both ways; nothing here draws."""

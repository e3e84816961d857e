"""A run as one HTML file that needs neither a network nor an installation."""

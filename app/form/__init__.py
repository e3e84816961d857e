"""The form, drawn: the parts, their knobs, and the user's own data."""

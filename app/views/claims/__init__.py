"""The page Claims: sentences of the field, each measured by its protocol."""

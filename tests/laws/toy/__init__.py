"""A fourth kind of task, as somebody would add one: a record and a file per layer."""

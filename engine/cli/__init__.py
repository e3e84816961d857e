"""What `python -m engine` can do, one small file per group of commands.

A command imports what it computes with only when it is called, so that those
that need no torch start at once.
"""

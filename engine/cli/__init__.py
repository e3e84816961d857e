"""The command line, `python -m engine`: one module per group of commands.

Commands import their dependencies inside the function, so that those that need no
torch start without loading it.
"""

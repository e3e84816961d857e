"""Real data: where it is looked for, how it is read, and what it may be used for.

Nothing here imports torch, so the page and the command line can look too.
"""

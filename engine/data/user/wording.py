"""Words of the remarks on the user's files."""


def are(count: int, noun: str) -> str:
    """Return a number with its noun and verb.

    >>> are(1, "image"), are(2000, "image")
    ('1 image is', '2,000 images are')
    """
    return f"1 {noun} is" if count == 1 else f"{count:,} {noun}s are"

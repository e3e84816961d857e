"""`Refused`, the error for invalid input by the user, and `PartRefused` for a part."""

import re


class Refused(ValueError):
    """Input that was checked and rejected; nothing was stored.

    Args:
        message: One sentence: what is wrong, where, and what is allowed.
        field: Dotted path of the field, such as `learners.0.knobs.lr`.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def with_prefix(self, prefix: str) -> "Refused":
        """Return the same error with the path of an enclosing field in front."""
        path = f"{prefix}.{self.field}" if self.field else prefix
        return Refused(self.message, path)


class PartRefused(Refused):
    """A part whose own file is wrong; no field of a spec is at fault."""


def json_path(field: str) -> str:
    """Return a dotted path with indices in brackets.

    >>> json_path("learners.0.knobs.lr")
    'learners[0].knobs.lr'
    """
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", field)

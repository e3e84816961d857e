"""The one error that a person's input can cause: one sentence, what and where."""

import re


class Refused(ValueError):
    """Input that was checked and not taken; the store is unchanged.

    Args:
        message: One sentence: what was wrong, where, and what is allowed.
        field: Dotted path of the field, such as `learners.0.knobs.lr`.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def with_prefix(self, prefix: str) -> "Refused":
        """Return the same refusal, its field placed inside a larger value."""
        path = f"{prefix}.{self.field}" if self.field else prefix
        return Refused(self.message, path)


def json_path(field: str) -> str:
    """Return a dotted path as it is written for JSON.

    >>> json_path("learners.0.knobs.lr")
    'learners[0].knobs.lr'
    """
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", field)

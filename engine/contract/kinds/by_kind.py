"""Per-kind implementations of one layer, imported by the kind's name when needed."""

from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

T = TypeVar("T")


class ByKind(dict[str, T]):
    """One layer's value for each kind of task, by the kind's name.

    The layer's package has a module named after each kind, which sets its value here:
    `JUDGES["few_shot"] = …`. It is imported when its kind is first looked up.

    Args:
        package: The layer's package, such as `engine.judges`.
    """

    def __init__(self, package: str) -> None:
        super().__init__()
        self.package = package

    def __missing__(self, kind: str) -> T:
        """Import the kind's module, which sets its value.

        Raises:
            LookupError: If there is no such module, or it sets nothing.
        """
        file = f"{self.package}.{kind}"
        if not kind.isidentifier() or find_spec(file) is None:
            raise LookupError(f"{self.package} knows no kind {kind!r}: write {file}")
        import_module(file)
        if kind not in self:  # or the look-up below would recurse without end
            raise LookupError(f"{file} enters nothing for its kind {kind!r}")
        return self[kind]

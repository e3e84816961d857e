"""One layer's own file for each kind of task, found by the kind's name."""

from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

T = TypeVar("T")


class ByKind(dict[str, T]):
    """What one layer has for each kind of task, by the kind's name.

    The layer's package holds a module called after each kind, which enters its value
    here: `JUDGES["few_shot"] = …`. It is imported when its kind is first asked for.

    Args:
        package: The layer's package, such as `engine.judges`.
    """

    def __init__(self, package: str) -> None:
        super().__init__()
        self.package = package

    def __missing__(self, kind: str) -> T:
        """Import the kind's file, which enters its value.

        Raises:
            LookupError: If there is no such file, or it enters nothing.
        """
        file = f"{self.package}.{kind}"
        if not kind.isidentifier() or find_spec(file) is None:
            raise LookupError(f"{self.package} knows no kind {kind!r}: write {file}")
        import_module(file)
        if kind not in self:  # else this would ask itself without end
            raise LookupError(f"{file} enters nothing for its kind {kind!r}")
        return self[kind]

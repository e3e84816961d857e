"""Where the lab is, and how its packages are imported.

The lab is three packages, `engine`, `app` and `pages`, which import each other by these
names. In a wheel they lie inside this package, in `_lab`, so that an installation adds
one name to an environment, not four; in a checkout they lie three folders up. Either
way they are found through this finder, whatever is on the path: a file `app.py` or
`engine.py` beside a notebook does not stand in for them.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

PACKAGES = ("engine", "app", "pages")
_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "_lab"
ROOT = _INSTALLED if _INSTALLED.is_dir() else _HERE.parents[2]


class LabFinder(importlib.abc.MetaPathFinder):
    """Finds the lab's packages, and nothing else."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a package of the lab is; None for any other module."""
        if fullname not in PACKAGES:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(ROOT)])


def load_lab() -> None:
    """Make the lab's packages importable.

    Raises:
        ImportError: If another module already has one of their names.
    """
    for name in PACKAGES:
        other = sys.modules.get(name)
        place = getattr(other, "__file__", None)
        if other is not None and (
            place is None or Path(place).resolve().parent.parent != ROOT
        ):
            raise ImportError(
                f"metascope needs the module name {name!r}, which this process has "
                f"already imported from {place or 'elsewhere'}; import metascope "
                "first, or rename that module"
            )
    if not any(isinstance(finder, LabFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LabFinder())

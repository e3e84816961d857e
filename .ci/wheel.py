"""What a wheel holds: one import name, with the lab inside it.

The packages `engine`, `app` and `pages` become `metascope/_lab/…`, so that nothing but
`metascope` is added to an environment; `lab_packages.py` of the API finds them there.
Its dependencies are those of requirements.txt, each in the version that is pinned
there or a newer one: an exact pin would rule out most environments.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

API = "engine/api"
LAB = ("engine", "app", "pages", ".streamlit", "LICENSE")


class Files(BuildHookInterface):  # type: ignore[type-arg]
    """Says where each file lies in the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; what Python compiled is left out."""
        root = Path(self.root)
        for path in list_files(root):
            name = path.relative_to(root).as_posix()
            inside = name.removeprefix(f"{API}/")
            place = inside if inside != name else f"metascope/_lab/{name}"
            build_data["force_include"][str(path)] = place


def list_files(root: Path) -> list[Path]:
    """Return the files of the lab and of the API, sorted."""
    found = [root / name for name in LAB if (root / name).is_file()]
    for folder in LAB:
        found += [p for p in (root / folder).rglob("*") if p.is_file()]
    wanted = [p for p in found if "__pycache__" not in p.parts]
    # Beside the package, `engine/api` holds the quickstart, which is no part of it.
    package = root / API
    return sorted(
        p
        for p in wanted
        if package not in p.parents or package / "metascope" in p.parents
    )


class Dependencies(MetadataHookInterface):
    """Reads the dependencies from requirements.txt."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the dependencies."""
        text = (Path(self.root) / "requirements.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^([A-Za-z][\w.-]*==[\w.]+)$", text, re.MULTILINE)
        metadata["dependencies"] = [pin.replace("==", ">=") for pin in pins]

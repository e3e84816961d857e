"""The shipped experiments as objects."""

import difflib
import functools
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.contract.run_spec import kind_of_family
from metascope.arguments import UnknownName, show


@dataclass(frozen=True)
class Preset:
    """A shipped experiment.

    Attributes:
        name: Its name in `metascope.run` and `metascope.spec`.
        title: What the lab calls it.
        summary: One line: what it shows.
        kind: Its kind of task.
    """

    name: str
    title: str
    summary: str
    kind: str

    def __repr__(self) -> str:
        return f"<preset {self.name}: {self.title}>"


class Presets(Mapping[str, Preset]):
    """The shipped experiments, by name and as attributes."""

    def __init__(self, held: dict[str, Preset]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Preset:
        if isinstance(name, str) and name in self._held:
            return self._held[name]
        raise UnknownName(_no_preset(name, self._held), "preset")

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __getattr__(self, name: str) -> Preset:
        if name in vars(self).get("_held", {}):
            return self._held[name]
        if name.startswith("_"):  # pickling and IPython ask for private names
            raise AttributeError(name)
        raise AttributeError(_no_preset(name, vars(self).get("_held", {})))

    def __dir__(self) -> list[str]:
        return [*self._held, *super().__dir__()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._held)

    def __repr__(self) -> str:
        return "\n".join(f"{p.name:28} {p.title}" for p in self._held.values())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{html.escape(p.name)}</code></td><td>{p.kind}</td>"
            f"<td style='text-align:left'><b>{html.escape(p.title)}</b><br>"
            f"{html.escape(p.summary)}</td></tr>"
            for p in self._held.values()
        )
        return f"<table><tr><th>name</th><th>kind</th><th></th></tr>{rows}</table>"


def _no_preset(name: object, held: Mapping[str, Preset]) -> str:
    near = difflib.get_close_matches(str(name), held, 2)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return (
        f"no preset is called {show(name)}; {hint}metascope.presets() lists all "
        f"{len(held)}"
    )


def presets() -> Presets:
    """Return the shipped experiments.

    Returns:
        By name, with completion: `presets().default` or `presets()["default"]`.

    Example:
        >>> import metascope as ms
        >>> ms.presets()["smoke"]
        <preset smoke: A few seconds, to see that everything works>
    """
    return _make_presets()


@functools.cache
def _make_presets() -> Presets:
    from engine.catalogue import find_card
    from engine.presets import PRESETS

    return Presets(
        {
            p.name: Preset(
                p.name, p.title, p.summary, kind_of_family(p.spec, find_card)
            )
            for p in PRESETS
        }
    )

"""The catalogue: every part as a card, the shipped experiments, and the studies.

It is made by `python -m engine catalogue --json` in a separate process, since that
needs torch, which the web process must not import. The result is cached under the hash
of the engine's source and of the available data, so a second start takes milliseconds.
"""

import functools
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.client import missing_package_message
from engine.contract.cards import Card
from engine.contract.run_spec import RunSpec
from engine.contract.suggestions import unknown_part_error

ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT = 120.0


TITLED = ("shift", "family", "learner")  # slots of the parts that texts name


class CatalogueError(Exception):
    """The engine failed to make the catalogue; one line that the user can act on."""


@dataclass(frozen=True)
class Preset:
    """A shipped experiment; its spec is what the user would enter in the form."""

    name: str
    title: str
    summary: str
    spec: RunSpec


@dataclass(frozen=True)
class Study:
    """A claim, and the runs that decide whether it is supported."""

    name: str
    title: str
    sentence: str
    protocol: str
    specs: tuple[RunSpec, ...]
    ground: str
    matrix: bool


@dataclass(frozen=True)
class Catalogue:
    """Every part, the available devices, the shipped experiments and studies."""

    cards: dict[tuple[str, str], Card]
    devices: tuple[str, ...]
    versions: dict[str, Any]
    presets: tuple[Preset, ...]
    studies: tuple[Study, ...] = ()

    def card(self, slot: str, name: str) -> Card:
        """Return a part's card.

        Raises:
            Refused: If there is none; the message suggests the closest name.
        """
        try:
            return self.cards[slot, name]
        except KeyError:
            raise unknown_part_error(
                slot, name, (card.name for card in self.cards_of(slot))
            ) from None

    def cards_of(self, slot: str) -> Iterator[Card]:
        """Yield the cards of one slot, by group and title."""
        found = (card for (where, _), card in self.cards.items() if where == slot)
        return iter(sorted(found, key=lambda card: (card.group, card.title)))

    def part_titles(self) -> dict[str, str]:
        """Return the titles of parts, by name.

        A learner can have the name of a net, which no text mentions by its title.
        """
        cards = (card for slot in TITLED for card in self.cards_of(slot))
        return {card.name: card.title for card in cards}

    def kind_of(self, family: str) -> str:
        """Return a family's kind of task; empty if the family is unknown."""
        card = self.cards.get(("family", family))
        return str(card.traits.get("kind", "")) if card else ""

    def preset(self, name: str) -> Preset:
        """Return a shipped experiment; the first if none has that name."""
        named = {preset.name: preset for preset in self.presets}
        return named.get(name) or self.presets[0]

    @property
    def default_device(self) -> str:
        """Return the device that `auto` resolves to here."""
        return self.devices[0] if self.devices else "cpu"


def parse_catalogue(text: str | bytes) -> Catalogue:
    """Parse the engine's output."""
    body = json.loads(text)
    cards = [Card.model_validate(card) for card in body["cards"]]
    presets = [
        Preset(p["name"], p["title"], p["summary"], RunSpec.model_validate(p["spec"]))
        for p in body["presets"]
    ]
    return Catalogue(
        cards={(card.slot, card.name): card for card in cards},
        devices=tuple(body["devices"]),
        versions=dict(body["engine"].get("versions", {})),
        presets=tuple(presets),
        studies=tuple(_parse_study(each) for each in body.get("studies", ())),
    )


def _parse_study(body: dict[str, Any]) -> Study:
    specs = tuple(RunSpec.model_validate(spec) for spec in body["specs"])
    return Study(**body | {"specs": specs})


@functools.cache
def source_hash(root: Path = ROOT / "engine") -> str:
    """Return the hash of the engine's source and of this Python."""
    seen = hashlib.sha256(sys.version.encode())
    # Directory order differs between machines; the hash must not.
    for file in sorted(root.rglob("*.py")):
        seen.update(str(file.relative_to(root)).encode())
        seen.update(file.read_bytes())
    return seen.hexdigest()


def pack_hash() -> str:
    """Return the hash of the available data, which decides what can be chosen."""
    from engine.data.sources.locations import pack_home

    home = pack_home()
    names = sorted(path.name for path in home.iterdir()) if home.is_dir() else []
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def run_catalogue_command() -> str:
    """Run the engine's `catalogue` command in a separate process.

    Raises:
        CatalogueError: With the last line of its error output.
    """
    command = [sys.executable, "-m", "engine", "catalogue", "--json"]
    try:
        said = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise CatalogueError(
            f"The engine did not describe its parts within {_TIMEOUT:g} s."
        ) from None
    if said.returncode:
        last = (said.stderr.strip().splitlines() or ["it printed no error"])[-1]
        missing = missing_package_message.describe_missing(last)
        raise CatalogueError(missing or f"The engine cannot start: {last[:300]}")
    return said.stdout


class CatalogueCache:
    """Caches the catalogue; the first caller makes it, others wait."""

    def __init__(self, cache: Callable[[], Any]) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._made: Catalogue | None = None
        self._thread: threading.Thread | None = None
        self._error = ""

    @property
    def is_ready(self) -> bool:
        """Whether `get` returns immediately."""
        return self._made is not None

    @property
    def error(self) -> str:
        """Why the last attempt failed; empty if it did not."""
        return self._error

    def start_loading(self) -> bool:
        """Start making it in the background if needed; return whether it is ready."""
        if self._made is None and not (self._thread and self._thread.is_alive()):
            if self._load_cached():
                return True
            self._thread = threading.Thread(target=self._load_in_thread, daemon=True)
            self._thread.start()
        return self.is_ready

    def get(self) -> Catalogue:
        """Return the catalogue, making it if needed.

        Raises:
            CatalogueError: If the engine cannot make it.
        """
        with self._lock:
            if self._made is None and not self._load_cached():
                text = run_catalogue_command()
                self._made, self._error = parse_catalogue(text), ""
                self._save(text)
            return self._made  # type: ignore[return-value]

    def _load_in_thread(self) -> None:
        try:
            self.get()
        except CatalogueError as error:
            self._error = str(error)

    def _cache_key(self) -> str:
        return f"catalogue:{source_hash()}:{pack_hash()}"

    def _load_cached(self) -> bool:
        cache = self._cache()
        text = cache.get(self._cache_key()) if cache is not None else None
        if isinstance(text, str):
            self._made = parse_catalogue(text)
        return self.is_ready

    def _save(self, text: str) -> None:
        cache = self._cache()
        if cache is not None:
            cache.set(self._cache_key(), text)

"""Sweeps: one spec for every value of a grid and every seed.

A setting is a path and its values, such as `learner.lr=0.1,0.3,1`:

- `learner.KNOB`: a knob of every chosen learner; `LABEL.KNOB`: of the learners, chosen
  or baseline, with this label or name;
- `family.KNOB`, `net.KNOB`, `outer.KNOB`, `estimator.KNOB`;
- a slot alone, such as `net=mlp,conv4`: another part, with its own defaults;
- `budget.FIELD`, and `replicates` (a fixed number of them).
"""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from engine.contract.errors import Refused
from engine.contract.parsing import parse_json, parse_spec
from engine.contract.run_spec import CardLookup, RunSpec
from engine.contract.text_decoding import clean

MOST_UNASKED, MOST_RUNS = 200, 10_000  # runs: without confirmation, and at all
PARTS = ("family", "net", "outer", "estimator")
SEED = "seed"
MOST_SEED = 2**63  # of a spec, exclusive
_DIGITS = 19  # of a seed
_VALUES_LIMIT = 10_000  # characters of a setting

Values = dict[str, Any]


class Setting(NamedTuple):
    """A path into a spec and the values that it takes."""

    path: str
    values: tuple[Any, ...]


class Variant(NamedTuple):
    """A spec of a sweep, and the values by path that set it apart from the others."""

    spec: RunSpec
    values: Values


def parse_setting(text: str) -> Setting:
    """Parse `PATH=VALUE,VALUE,…`; values are JSON, or else plain text.

    Raises:
        Refused: If a path, a value or the sign between them is missing, or a value is
            given twice.

    >>> parse_setting("learner.lr=0.1,1"), parse_setting("net=mlp,conv4").values
    (Setting(path='learner.lr', values=(0.1, 1)), ('mlp', 'conv4'))
    """
    path, sign, listed = (part.strip() for part in text.partition("="))
    if not (path and sign and listed):
        raise Refused(
            f"a grid is PATH=VALUE,VALUE,… such as learner.lr=0.1,1, not "
            f"{clean(text)[:60]!r}",
            "grid",
        )
    values = _parse_values(listed)
    seen: list[tuple[bool, Any]] = []
    for value in values:
        told_apart = (isinstance(value, bool), value)  # Python has true equal 1
        if told_apart in seen:
            raise Refused(f"{clean(path)} is given the value {value!r} twice", "grid")
        seen.append(told_apart)
    return Setting(path, tuple(values))


def _parse_values(listed: str) -> list[Any]:
    try:
        values: list[Any] = parse_json(f"[{listed}]", _VALUES_LIMIT)
    except Refused:  # some are plain text, such as the name of a part
        return [_parse_value(word.strip()) for word in listed.split(",")]
    return values


def _parse_value(word: str) -> Any:
    if not word:
        raise Refused("a grid has an empty value: two commas in a row", "grid")
    try:
        return parse_json(word, _VALUES_LIMIT)
    except Refused:
        return word


def parse_seeds(text: str) -> tuple[range, ...]:
    """Parse seeds such as `1-20` or `1,4,10-12`, without expanding the ranges.

    Raises:
        Refused: If it is something else, or a seed is given twice.

    >>> parse_seeds("1-3,7")
    (range(1, 4), range(7, 8))
    """
    spans = [_parse_span(word.strip()) for word in text.split(",")]
    rising = sorted(spans, key=lambda span: span.start)
    for a, b in itertools.pairwise(rising):
        if b.start < a.stop:
            raise Refused(f"seed {b.start} is given twice", "seeds")
    return tuple(spans)


def _parse_span(word: str) -> range:
    first, sign, last = (part.strip() for part in word.partition("-"))
    ends = (first, last if sign else first)
    if not all(e.isascii() and e.isdigit() and len(e) <= _DIGITS for e in ends):
        raise Refused(
            f"seeds are whole numbers from 0, as in 1-20 or 1,4,7, not "
            f"{clean(word)[:40]!r}",
            "seeds",
        )
    start, stop = int(ends[0]), int(ends[1]) + 1
    if stop > MOST_SEED:
        raise Refused(f"a seed must be below 2⁶³, not {stop - 1}", "seeds")
    if stop <= start:
        raise Refused(f"seeds {first}-{last}: the first must not be larger", "seeds")
    return range(start, stop)


class Sweep(NamedTuple):
    """What is to be run.

    Args:
        bases: The specs as they were given, by name.
        settings: The grid; empty for the specs as they are.
        seeds: Ranges of seeds; empty for each spec's own.
    """

    bases: dict[str, RunSpec]
    settings: tuple[Setting, ...] = ()
    seeds: tuple[range, ...] = ()

    def run_count(self) -> int:
        """Return how many runs these are; nothing is expanded."""
        # `len` fails on a range of 2⁶³ numbers.
        n_seeds = sum(span.stop - span.start for span in self.seeds) or 1
        return self.configuration_count() * n_seeds

    def configuration_count(self) -> int:
        """Return how many runs there are per seed."""
        return len(self.bases) * math.prod(len(s.values) for s in self.settings)

    def check(self, *, confirmed: bool) -> None:
        """Check paths and size.

        Args:
            confirmed: Whether more runs than `MOST_UNASKED` are allowed.

        Raises:
            Refused: If a path is given twice, or there are too many runs.
        """
        paths = [setting.path for setting in self.settings]
        for path in paths:
            if paths.count(path) > 1:
                raise Refused(f"{clean(path)} is in the grid twice", "grid")
        count = self.run_count()
        most = MOST_RUNS if confirmed else MOST_UNASKED
        if count > most:
            confirm = "" if confirmed else " without --yes"
            raise Refused(
                f"these are {self.describe_size()}; at most {most:,} are "
                f"allowed{confirm}",
                "grid",
            )

    def describe_size(self) -> str:
        """Return the numbers of runs, configurations and seeds as one text."""
        runs, kinds = self.run_count(), self.configuration_count()
        counts = {"run": runs, "configuration": kinds, "seed": runs // kinds}
        told = [f"{n:,} {what}{'s' * (n > 1)}" for what, n in counts.items()]
        return f"{told[0]} ({told[1]} × {told[2]})"

    def configurations(self, cards: CardLookup | None = None) -> Iterator[Variant]:
        """Yield the variants of one seed: by spec, then by the grid's values.

        Args:
            cards: Gives the card of (slot, name), to suggest names.

        Raises:
            Refused: If a path leads nowhere, or a value cannot be in a spec.
        """
        grid = [[(s.path, value) for value in s.values] for s in self.settings]
        for name, base in self.bases.items():
            named: Values = {"spec": name} if len(self.bases) > 1 else {}
            for chosen in itertools.product(*grid):
                values = dict(chosen)
                yield Variant(with_values(base, values, cards), {**named, **values})

    def with_seeds(self, variant: Variant) -> Iterator[Variant]:
        """Yield a variant with every seed."""
        seeds = self.seeds or ((variant.spec.seed,),)
        for seed in itertools.chain(*seeds):
            spec = variant.spec.model_copy(update={"seed": seed})
            yield Variant(spec, {**variant.values, SEED: seed})


def with_values(
    spec: RunSpec, values: Values, cards: CardLookup | None = None
) -> RunSpec:
    """Return a spec with other values at some paths.

    Parts are chosen before knobs, so that the order of the paths does not matter.

    Args:
        spec: The spec.
        values: Values by path.
        cards: Gives the card of (slot, name), to suggest names.

    Raises:
        Refused: If a path leads nowhere, or a value cannot be there.
    """
    body = spec.model_dump(mode="json")
    for path in sorted(values, key=lambda path: path.count(".")):
        for holder, field in _places(body, path):
            holder[field] = values[path]
    try:
        return parse_spec(json.dumps(body), cards)
    except Refused as refusal:
        given = ", ".join(f"{path}={value}" for path, value in values.items())
        raise Refused(f"{clean(given)[:120]}: {refusal.message}", "grid") from None


def _places(body: dict[str, Any], path: str) -> Sequence[tuple[dict[str, Any], str]]:
    """Return the dicts and fields of a spec, as JSON, that a path names.

    Raises:
        Refused: If it names none.
    """
    head, dot, field = path.partition(".")
    learners = body["learners"]
    chosen = [each for each in learners if each["role"] == "chosen"]
    named = [each for each in learners if head in (each["label"], each["name"])]
    if not dot:
        if path == "replicates":
            body["looks"] = []  # they must end with the number of replicates
            return [(body, path)]
        parts = chosen if path == "learner" else [body[path]] if path in PARTS else []
        for part in parts:  # another part starts with its own defaults
            part |= {"knobs": {}} | ({"label": ""} if path == "learner" else {})
        found = [(part, "name") for part in parts]
    elif head == "budget":
        found = [(body["budget"], field)]
    else:
        slots = [body[head]] if head in PARTS else named
        found = [(p["knobs"], field) for p in (chosen if head == "learner" else slots)]
    if not found:
        raise Refused(
            f"the grid cannot set {clean(path)[:60]!r}; it sets learner, "
            f"{', '.join(PARTS)} (a part, or with .KNOB one of its knobs), "
            "LABEL.KNOB of a learner, budget.FIELD and replicates; seeds are an option",
            "grid",
        )
    return found


def describe_values(values: Values) -> str:
    """Return the values of a run, or of a configuration, as one text.

    >>> describe_values({"learner.lr": 0.1, "seed": 3})
    'learner.lr = 0.1, seed = 3'
    """
    return ", ".join(f"{path} = {value}" for path, value in values.items())

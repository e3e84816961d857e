"""Experiments as values: the shipped ones, and specs made from keyword arguments."""

import functools
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.contract.effort import Effort, effort_of, with_effort
from engine.contract.errors import Refused
from engine.contract.kinds import kind_named
from engine.contract.parsing import parse_spec
from engine.contract.run_facts import Question, make_facts
from engine.contract.run_keys import run_key
from engine.contract.run_spec import (
    MOST_REPLICATES,
    Choice,
    RunSpec,
    kind_of_family,
)
from metascope.arguments import as_path, errors_of_writing, show, words_of_python
from metascope.results import Result
from metascope.shipped import Preset
from metascope.spec_changes import (
    apply_changes,
    find_card_lazily,
    first_spec,
    plain,
)


@dataclass(frozen=True)
class Spec:
    """An experiment, complete and checked; the same spec gives the same numbers.

    Attributes:
        asked: What was asked for; what it leaves out follows from the parts.
        full: With every setting, for this machine's device.
    """

    asked: RunSpec
    full: RunSpec

    @functools.cached_property
    def key(self) -> str:
        """Return the key that its results are stored under; 64 hex digits."""
        return run_key(self.full, find_card_lazily)

    @property
    def question(self) -> str:
        """Return what it compares, in words."""
        asked = make_facts(self.full.model_dump(mode="json")).question
        return Question(*asked).in_words()

    def to_json(self) -> str:
        """Return the complete spec as JSON, which `python -m metascope run` takes."""
        return json.dumps(self.full.model_dump(mode="json"), indent=2, sort_keys=True)

    def save(self, path: str | Path) -> Path:
        """Write the complete spec as JSON.

        Args:
            path: The file, such as `mine.json`; it is replaced.

        Raises:
            Refused: If it cannot be written.
        """
        file = as_path("path", path)
        with errors_of_writing(file):
            file.write_text(self.to_json() + "\n", encoding="utf-8", newline="\n")
        return file

    def __getattr__(self, name: str) -> Any:
        """Say where a setting is; a spec has two sets of them.

        Raises:
            AttributeError: Always; it is called for unknown names alone.
        """
        if name in RunSpec.model_fields:
            raise AttributeError(f"the complete settings are in full: spec.full.{name}")
        if name in ("run", "sweep"):
            raise AttributeError(f"write metascope.{name}(spec)")
        raise AttributeError(f"a spec has no {name!r}; it has asked, full and key")

    def _facts(self) -> dict[str, str]:
        spec = self.full
        roles = {r: [c for c in spec.learners if c.role == r] for r in _ROLES}
        facts = {
            "question": self.question,
            "family": _show(spec.family),
            **{name: ", ".join(map(_show, held)) for name, held in roles.items()},
            "shifts": ", ".join(f"{s.name} {list(s.severities)}" for s in spec.shifts),
            "net": _show(spec.net),
            "budget": ", ".join(f"{k} = {v}" for k, v in spec.budget),
            "replicates": f"{spec.replicates}, {effort_of(spec)}",
            "seed": str(spec.seed),
            "key": self.key[:12],
        }
        return {name: text for name, text in facts.items() if text}

    def __repr__(self) -> str:
        return "\n".join(f"{name:10} {text}" for name, text in self._facts().items())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{name}</th><td style='text-align:left'>{html.escape(text)}</td>"
            "</tr>"
            for name, text in self._facts().items()
        )
        return f"<table>{rows}</table>"


_ROLES = ("chosen", "baseline")
_SHORT_KEY = 8  # hex digits; no preset's name looks like that
Base = str | Path | Preset | Spec | Result | RunSpec | Mapping[str, Any] | None


def spec(base: Base = None, /, **changes: Any) -> Spec:
    """Return an experiment, from a shipped one or from nothing.

    Args:
        base: A preset or its name, another spec, the result of a run, the path of a
            spec as JSON, or the spec as a dictionary. Without one, `family` and
            `learners` must be given.
        **changes: What differs from it:

            - `seed`, `replicates`, `device`, `compile`, `rival`; `effort`: "quick",
              "until-decided" or "fixed";
            - `learner`, `family`, `net`, `outer`, `estimator`: another part, by name
              or from the catalogue, or a dictionary of settings to change;
              `learner` stands for every chosen one;
            - a label of a learner, such as `sgd_tuned`: a dictionary of its settings;
            - `learners`, `baselines`, `shifts`, `test_families`: a list, which
              replaces the present one;
            - `budget`: a dictionary of its fields to change.

    Returns:
        The spec, completed and checked for this machine.

    Raises:
        Refused: If something cannot be so, in one sentence with the remedy.

    Example:
        >>> import metascope as ms
        >>> mine = ms.spec("smoke", seed=3, learner={"lr": 0.1})
        >>> mine.full.seed, mine.full.learners[0].knobs["lr"]
        (3, 0.1)
        >>> ms.spec("smoke", sede=3)
        Traceback (most recent call last):
        engine.contract.errors.Refused: a spec has no 'sede'; did you mean 'seed'?
    """
    from engine.executors.in_process import settle_spec

    with words_of_python():
        asked = _read_base(base, changes)
        asked = apply_changes(asked, changes)
        effort, replicates = changes.get("effort"), changes.get("replicates")
        if effort is not None or replicates is not None:
            kind = kind_named(kind_of_family(asked, find_card_lazily))
            asked = with_effort(asked, kind, _read_effort(effort), _count(replicates))
        return Spec(asked, settle_spec(asked))


def _read_base(base: Base, changes: Mapping[str, Any]) -> RunSpec:
    """Return what a spec is made from.

    Raises:
        Refused: If it cannot be read, or nothing says what is to be compared.
    """
    from engine.presets import preset

    match base:
        case Spec():
            return base.asked
        case RunSpec():
            return base
        case Result():
            return base.spec
        case Preset():
            return preset(base.name).spec
        case str() | Path():
            if str(base).lstrip().startswith("{"):  # as `Spec.to_json` returns it
                return parse_spec(str(base), find_card_lazily)
            file = Path(base).expanduser()
            if isinstance(base, str) and not (file.suffix or len(file.parts) > 1):
                _refuse_key(base)
                return preset(base).spec
            return parse_spec(_read_file(file), find_card_lazily)
        case Mapping():
            return parse_spec(_to_json(base), find_card_lazily)
        case None if "family" in changes and "learners" in changes:
            return first_spec(changes)
        case None:
            raise Refused(
                "a spec needs what to start from: the name of a preset, such as "
                '"default", or family=… and learners=[…]'
            )
    raise Refused(
        "a spec is made from a preset, a spec, a result, a path or a dictionary, not "
        f"from {show(base)}"
    )


def _refuse_key(name: str) -> None:
    """Refuse the key of a run where a preset is asked for."""
    if len(name) >= _SHORT_KEY and set(name) <= set("0123456789abcdef"):
        raise Refused(
            f"{name[:12]} is the key of a run: read it with metascope.load, whose "
            "result can be given here",
            "base",
        )


def _to_json(base: Mapping[str, Any]) -> str:
    try:
        return json.dumps(dict(base))
    except (TypeError, ValueError) as error:
        raise Refused(
            f"a spec as a dictionary holds what JSON does: {error}", "base"
        ) from None


def _read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise Refused(f"{file} cannot be read: {why}", str(file)) from None


def _read_effort(given: object) -> Effort | None:
    if given is None:
        return None
    try:
        return Effort(str(given).replace("_", "-"))
    except ValueError:
        known = ", ".join(Effort)
        raise Refused(f"effort must be one of {known}, not {given!r}", "effort") from (
            None
        )


def _count(given: object) -> int | None:
    number = plain("replicates", given)
    whole = isinstance(number, int) and not isinstance(number, bool)
    if number is None or (whole and 1 <= number <= MOST_REPLICATES):
        return number
    raise Refused(
        f"replicates must be a whole number from 1 to {MOST_REPLICATES}, not {given!r}",
        "replicates",
    )


def _show(choice: Choice) -> str:
    label = getattr(choice, "label", "") or choice.name
    return label if label == choice.name else f"{label} ({choice.name})"

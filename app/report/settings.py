"""The end of a report: settings, command, versions, and the machine."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.client.client import Run
from app.report import html_parts
from engine.contract.learner_appearance import name_in_words
from engine.stats.verdicts.wording import capitalize_first, learner_names

COMMAND = "python -m engine run config.json --out result/"


def make_settings(run: Run, titles: Mapping[str, str]) -> str:
    """Return what determines a run's numbers, and what it was computed with."""
    table = html_parts.make_table(
        list(_setting_rows(run, titles)), "The settings of this run"
    )
    spec = run.spec.model_dump(mode="json")
    config = json.dumps(spec, indent=2, sort_keys=True, ensure_ascii=False)
    whole = html_parts.make_details("config.json", html_parts.make_code(config))
    again = html_parts.make_code(COMMAND)
    machine = html_parts.make_facts({"run": run.key, **flatten(run.fingerprint)})
    return "".join(
        (
            html_parts.make_section("Settings", table, whole),
            html_parts.make_section(
                "Compute it again",
                "<p>Save config.json from above, then, in the folder of Metascope:</p>",
                again,
            ),
            html_parts.make_section("Computed with", machine),
        )
    )


def _setting_rows(run: Run, titles: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield a row for each part and for each group of numbers."""
    spec, names = run.spec, learner_names(run.spec, titles)
    yield _row("Task", _title(spec.family.name, titles), spec.family.knobs)
    for family in spec.test_families:
        yield _row("Tested on", _title(family.name, titles), family.knobs)
    for shift in spec.shifts:
        levels = {"severities": ", ".join(f"{s:g}" for s in shift.severities)}
        yield _row("Shift", _title(shift.name, titles), {**levels, **shift.knobs})
    for entry in spec.learners:
        role = "Learner" if entry.role == "chosen" else "Baseline"
        yield _row(role, capitalize_first(names[entry.label]), entry.knobs)
    parts = {"Net": spec.net, "Estimator": spec.estimator, "Outer rule": spec.outer}
    for slot, part in parts.items():
        yield _row(slot, name_in_words(part.name), part.knobs)
    yield _row("Budget", "", spec.budget.model_dump(mode="json"))
    rest = {"replicates": spec.replicates, "seed": spec.seed, "device": spec.device}
    yield _row("Sample", "", rest)


def _row(slot: str, name: str, values: Mapping[str, Any]) -> dict[str, str]:
    told = [
        f"{name_in_words(key)} {_format(value)}"
        for key, value in values.items()
        if value not in (None, "")
    ]
    return {"What": slot, "Which": name, "Settings": "; ".join(told)}


def _format(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_format, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _title(name: str, titles: Mapping[str, str]) -> str:
    return titles.get(name) or capitalize_first(name_in_words(name))


def flatten(tree: Mapping[str, Any]) -> dict[str, str]:
    """Return the leaves of a tree that say something, by name in words.

    >>> flatten({"versions": {"torch": "2.13"}, "device": "cpu", "note": ""})
    {'torch': '2.13', 'device': 'cpu'}
    """
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value)
        elif value not in ("", None):
            flat[name_in_words(name)] = str(value)
    return flat

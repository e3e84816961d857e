"""A Jupyter notebook that computes a run again and compares its numbers.

It needs an installation of Metascope and nothing that is not in requirements.txt. The
experiment stands in it as a value, so that it can be changed; so do the numbers of the
run that it was exported from.

Source: nbformat 4.5, the JSON format of notebooks.
"""

import json
import math
import pprint
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.contract.metrics import METRICS
from engine.export import notebook_code as code
from engine.export.exported_files import RunRecord
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable
from engine.stats.learner_claims import Claim
from engine.stats.stored_claims import read_claims

ALONG = ("step", "context", "presentation")  # what a curve may run along
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&])")
Cell = dict[str, Any]


def notebook_json(record: RunRecord, title: str) -> bytes:
    """Return a notebook that repeats a run.

    Args:
        record: The run.
        title: Its title, plain text.

    Returns:
        UTF-8 bytes of a file that Jupyter opens.
    """
    cells = list(_cells(record, title))
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    made = {
        "cells": cells,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()


def python_script(record: RunRecord) -> str:
    """Return the Python that repeats a run and reads its numbers, without figures."""
    parts = [
        code.SETTINGS.format(key=record.key[:8]),
        _assign("SPEC", record.spec.model_dump(mode="json")),
        code.RUN,
        code.READ,
        code.MEANS.format(metric=_deciding_metric(record)),
    ]
    return "\n".join(parts)


def _cells(record: RunRecord, title: str) -> Iterator[Cell]:
    yield _text(f"# {escape_markdown(title)}\n\n{_introduction(record)}")
    yield _code(code.SETTINGS.format(key=record.key[:8]))
    yield _text(code.ABOUT_SPEC)
    yield _code(_assign("SPEC", record.spec.model_dump(mode="json")))
    yield _text(code.ABOUT_RUN)
    yield _code(code.RUN)
    yield _text(code.ABOUT_ROWS)
    yield _code(code.READ)
    curve = main_curve(record)
    if curve is not None:
        yield _text(code.ABOUT_CURVE)
        yield _code(code.CURVE.format(metric=curve[0], along=curve[1], **_axes(*curve)))
    claims = _main_claims(record)
    if claims:
        yield _text(code.ABOUT_CLAIMS)
        stored = {
            "headline": str((record.summary or {}).get("headline", "")),
            "claims": [_claim_numbers(claim) for claim in claims],
        }
        yield _code(_assign("STORED", stored))
        yield _code(code.COMPARE)
        yield _code(code.CONCLUDE)
    else:
        yield _code(code.MEANS.format(metric=_deciding_metric(record)))


def _introduction(record: RunRecord) -> str:
    made = (record.fingerprint or {}).get("versions")
    versions = made if isinstance(made, Mapping) else {}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    took = sum(timing.seconds for timing in record.timings)
    lines = [
        "This notebook computes a run of Metascope again, shows its main curve, and "
        "compares its numbers with those of the first time.",
        code.ABOUT_PLACE,
        f"The run is `{record.key}`.",
    ]
    if took >= 1:
        minutes = f"{took / 60:,.0f} min" if took >= 90 else f"{took:,.0f} s"
        lines.append(f"Its parts took {minutes} in all the first time.")
    if listed:
        lines.append(f"It was computed with {escape_markdown(listed)}.")
    return "\n\n".join(lines)


def main_curve(record: RunRecord) -> tuple[str, str] | None:
    """Return the metric of the main curve and what it runs along; None without one."""
    table = BlockTable(record.blocks, record.spec.kind)
    for metric in table.kind.metrics.curves:
        for block in record.blocks:
            there = (block.phase, block.metric) == ("test", metric)
            if there and block.condition == IN_DISTRIBUTION:
                along = [axis for axis in ALONG if axis in block.axes]
                if along:
                    return metric, along[0]
    return None


def _axes(metric: str, along: str) -> dict[str, str]:
    known = METRICS[metric]
    unit = f" ({known.unit})" if known.unit else ""
    return {"title": f"{known.label}{unit}", "scale": known.scale}


def _deciding_metric(record: RunRecord) -> str:
    return BlockTable(record.blocks, record.spec.kind).criterion.deciding


def _main_claims(record: RunRecord) -> list[Claim]:
    """Return the comparisons in distribution by the deciding metric, primary first."""
    deciding = _deciding_metric(record)
    found = [
        claim
        for claim in read_claims(record.summary)
        if (claim.condition, claim.metric) == (IN_DISTRIBUTION, deciding)
    ]
    return sorted(found, key=lambda claim: not claim.primary)


def _claim_numbers(claim: Claim) -> dict[str, object]:
    numbers = {name: getattr(claim, name) for name in ("difference", "low", "high")}
    return {
        "learner": claim.learner,
        "against": claim.against,
        "metric": claim.metric,
        "call": claim.call,
        # A literal of Python has no name for NaN.
        **{k: float(v) if math.isfinite(v) else None for k, v in numbers.items()},
    }


def _assign(name: str, value: object) -> str:
    """Return a line of Python that gives a name its value, as a literal."""
    text = pprint.pformat(value, width=84, sort_dicts=False)
    return f"{name} = {text}\n"


def _text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(source)}


def _code(source: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": _lines(source),
    }


def _lines(source: str) -> list[str]:
    return source.strip().splitlines(keepends=True)


def escape_markdown(text: str) -> str:
    r"""Return text that a notebook shows literally.

    >>> escape_markdown("<b>a_b</b>")
    '\\<b\\>a\\_b\\</b\\>'
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))

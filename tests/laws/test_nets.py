"""Laws of few-shot learners over nets: what is not refused runs to its end.

A learner says by its own answer whether it can take a net, and a net whether it can
take a task; nobody keeps a list of what goes together. The plain suite goes over a
part of the product that has each learner with each normalization and with each net of
vectors, and a learner of each folder with a net of images; `make torture` over all.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.events import Block, Event
from engine.contract.registry import part
from engine.contract.run_spec import RunSpec
from engine.protocol import Learner, Net
from engine.runner.context import RunContext
from engine.runner.spec_checks import check_run
from tests.laws.small import TINY, collected, events, names, short, spec_of

BUDGET = {
    "task_evaluations": 4,
    "validation_tasks": 2,
    "validate_every": 1,
    "test_tasks": 1,
    "horizon": 2,
    "tuning_tasks": 1,
}
# Knobs that make a net small, and a task, where they have such a knob.
SMALL_NET = {"depth": 1, "width": 8, "filters": 8, "size": "tiny", "heads": 2}
SMALL_NET |= {"widest": 8, "narrowest": 4}
SMALL_TASK = {"ways": 2, "queries": 2, "side": "14"}
IMAGES = "glyphs"  # drawn from a font, so they are here on every machine
SLOW = 50_000  # weights; a net with more of them waits for the whole product
QUICKEST = "mlp"  # the net that takes any example
MANY = 3  # words of a reason that tell something


class Pair(NamedTuple):
    """A learner and a net of one normalization; it is empty where a net has none."""

    learner: str
    net: str
    normalization: str

    def __str__(self) -> str:
        return "-".join(filter(None, self))


def few_shot(slot: str) -> list[str]:
    """Return the parts of a slot that are for few-shot tasks."""
    return [name for name in names(slot) if "few_shot" in part(slot, name).solves]


def normalizations(net: str) -> tuple[str, ...]:
    """Return what a net can normalize by, its own default first."""
    knobs = {knob.name: knob for knob in find_card("net", net).knobs}
    if "normalization" not in knobs:
        return ("",)
    knob = knobs["normalization"]
    return (knob.default, *(c for c in knob.choices if c != knob.default))


def fitting_families(learner: str, net: str) -> list[str]:
    """Return the families that a learner can answer and whose examples suit a net."""
    made, shown = part("learner", learner), part("net", net)
    assert issubclass(made, Learner) and issubclass(shown, Net)
    tried = (IMAGES,) if shown.images else TINY["few_shot"].families
    # A learner of values meets no net of images: those families have classes.
    return [f for f in tried if part("family", f)().answer_kind() in made.answers]  # type: ignore[attr-defined]


PRODUCT = [
    Pair(learner, net, kind)
    for learner in few_shot("learner")
    for net in few_shot("net")
    for kind in normalizations(net)
    if fitting_families(learner, net)
]


def small_net(net: str, normalization: str = "") -> dict[str, Any]:
    """Return knobs that make a net small."""
    fields = part("net", net).model_fields
    knobs = {name: value for name, value in SMALL_NET.items() if name in fields}
    return knobs | ({"normalization": normalization} if normalization else {})


@cache
def is_slow(net: str) -> bool:
    """Return whether even the smallest of a net has many weights."""
    made = part("net", net)(**small_net(net))
    assert isinstance(made, Net)
    return made.layout((1, 14, 14), 2).total > SLOW


def covering() -> Iterator[Pair]:
    """Yield each learner with each normalization of the quickest net, and each net."""
    met: set[tuple[str, str]] = set()
    for pair in PRODUCT:
        if pair.net == QUICKEST:
            yield pair
        elif pair.normalization == normalizations(pair.net)[0]:
            # Images take ten times as long, so a learner of each folder stands for all.
            images = find_card("net", pair.net).traits["images"]
            group = find_card("learner", pair.learner).group if images else pair.learner
            if not is_slow(pair.net) and (group, pair.net) not in met:
                met.add((group, pair.net))
                yield pair


def unlaid() -> list[Pair]:
    """Return baselines with a net that cannot be laid out for such small images."""
    return [
        pair
        for pair in PRODUCT
        if pair.normalization == "instance"
        and not find_card("learner", pair.learner).traits["trains"]
        and not is_slow(pair.net)
    ]


def family_of(pair: Pair) -> str:
    """Return a family that a learner can answer and whose examples suit the net."""
    return fitting_families(pair.learner, pair.net)[0]


def spec(pair: Pair) -> RunSpec:
    """Return a tiny run of a learner with a net."""
    learner, family = part("learner", pair.learner), family_of(pair)
    assert issubclass(learner, Learner)
    fields = part("family", family).model_fields
    return spec_of(
        learners=[{"name": pair.learner, "knobs": short(learner)}],
        family={
            "name": family,
            "knobs": {k: v for k, v in SMALL_TASK.items() if k in fields},
        },
        net={"name": pair.net, "knobs": small_net(pair.net, pair.normalization)},
        budget=BUDGET,
        replicates=1,
    )


def assert_refused_or_runs(pair: Pair) -> None:
    """Play a tiny run; what is not refused before its first number ends with all."""
    seen: list[Event] = []
    reason = ""
    try:
        for event in events(spec(pair)):
            seen.append(event)
    except Refused as refused:
        reason = refused.message
    if reason:
        assert not any(isinstance(event, Block) for event in seen), "refused too late"
        assert len(reason.split()) > MANY, "a reason is a sentence"
        return
    error = collected(iter(seen))[pair.learner, "test", "error", "", "", 0.0]
    assert np.isfinite(error).all(), "it ran and judged nothing"


def takes(pair: Pair) -> bool:
    """Return whether a learner can be asked to use a net, by all that is checked."""
    try:
        check_run(RunContext(spec(pair)))
    except Refused:
        return False
    return True


@pytest.mark.parametrize("pair", list(covering()), ids=str)
def test_a_learner_refuses_a_net_with_a_reason_or_runs_with_it(pair: Pair) -> None:
    assert_refused_or_runs(pair)


@pytest.mark.parametrize("pair", unlaid(), ids=str)
def test_a_net_that_no_task_suits_is_refused_before_the_first_number_or_not_used(
    pair: Pair,
) -> None:
    assert_refused_or_runs(pair)


@pytest.mark.torture
@pytest.mark.parametrize("pair", PRODUCT, ids=str)
def test_every_learner_refuses_every_net_with_a_reason_or_runs_with_it(
    pair: Pair,
) -> None:
    assert_refused_or_runs(pair)


def test_each_learner_meets_each_normalization_and_takes_some_net() -> None:
    units = normalizations(QUICKEST)
    met = {(pair.learner, pair.normalization) for pair in covering()}
    assert met >= {(name, kind) for name in few_shot("learner") for kind in units}
    taken = {pair.learner for pair in covering() if takes(pair)}
    assert taken == set(few_shot("learner"))

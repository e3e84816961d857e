"""A diagnosis is written in the words of its kind of task."""

import re

import pytest

from app.client import recorded_examples
from engine.contract.kinds import KINDS
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import DETECTORS, diagnose

FOREIGN = {
    "optimization": r"episode|support|quer(y|ies)|search|architecture|evaluations",
    "few_shot": r"search|architecture|evaluations|PES|unroll|ln nats|threshold",
    "rl": r"support|quer(y|ies)|search|architecture|evaluation|unroll|ln nats|gradient",
    "search": r"episode|support|quer(y|ies)|PES|unroll|ln nats|gradient|threshold",
}


def test_every_kind_has_detectors() -> None:
    assert DETECTORS.keys() == KINDS.keys() == FOREIGN.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_of_another_kind_is_in_a_diagnosis(kind: str) -> None:
    found = recorded_examples.recorded_run(kind)
    assert found is not None
    told = diagnose(BlockTable(found.blocks, kind), found.spec)
    assert told
    for finding in told:
        text = f"{finding.evidence} {finding.remedy}"
        assert not re.search(FOREIGN[kind], text), text


def test_a_budget_of_another_kind_is_not_counted() -> None:
    """A trained few-shot learner has no evaluations on source tasks."""
    found = recorded_examples.recorded_run("few_shot")
    assert found is not None
    told = diagnose(BlockTable(found.blocks, "few_shot"), found.spec)
    assert all("source tasks" not in finding.evidence for finding in told)

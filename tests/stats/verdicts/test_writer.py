"""One writer for every kind of task: what its sentences share, and what was filed."""

import numpy as np
import pytest

from app.client import recorded_examples
from engine.contract.events import Block
from engine.contract.kinds import KINDS
from engine.contract.run_spec import RunSpec
from engine.runner.titled_summary import summarize_run
from engine.stats import run_summary
from engine.stats.verdicts.kind_terms import TERMS
from tests.stats.made_up import (
    FINE_TUNED,
    PROTO,
    TUNED,
    chosen,
    falling,
    few_shot,
    few_spec,
    spec,
    trial,
)
from tests.stats.made_up_searches import (
    COLD,
    WARM,
    found_at,
    search_spec,
    searches,
    times,
)
from tests.stats.made_up_trials import RANDOM, RL2, pulls, rl_spec, trials

Made = tuple[RunSpec, RunSpec, list[Block]]


def made() -> dict[str, Made]:
    """Return, kind by kind, a chosen learner's spec, a baseline's, and their blocks."""
    errors = np.full((2, 4), 0.25)
    regret = found_at(times(20, 1))
    return {
        "optimization": (
            spec(chosen()),
            spec(TUNED),
            [*trial("lr_scale", falling()), *trial("sgd_tuned", falling())],
        ),
        "few_shot": (
            few_spec(PROTO),
            few_spec(FINE_TUNED),
            [*few_shot("protonet", errors), *few_shot("fine_tune", errors)],
        ),
        "rl": (
            rl_spec(RL2),
            rl_spec(RANDOM),
            [*trials("rl2", pulls(0.5)), *trials("random_actions", pulls(0.4))],
        ),
        "search": (
            search_spec(WARM),
            search_spec(COLD),
            [*searches("warm", regret), *searches("cold", regret)],
        ),
    }


def verdict(blocks: list[Block], run: RunSpec) -> str:
    return str(run_summary.summarize(blocks, run)["sentence"])


def test_every_kind_has_its_terms() -> None:
    assert all(TERMS[kind] for kind in KINDS)
    assert KINDS.keys() == made().keys()


@pytest.mark.parametrize("kind", made())
def test_runs_without_chosen_learners_or_baselines_read_alike_in_every_kind(
    kind: str,
) -> None:
    alone, only_baselines, blocks = made()[kind]
    assert verdict(blocks, alone).startswith(
        "No baseline was run, so there is no verdict. "
    )
    assert verdict(blocks, only_baselines).startswith(
        "Only baselines were run, so there is no verdict. "
    )


@pytest.mark.parametrize("kind", made())
def test_a_run_without_tests_says_so(kind: str) -> None:
    alone, _, _ = made()[kind]
    assert verdict([], alone) == "Nothing was tested, so there is no verdict."


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_run_gets_the_verdict_that_was_filed_with_it(kind: str) -> None:
    found = recorded_examples.recorded_run(kind)
    assert found is not None and found.summary is not None
    assert (
        summarize_run(found.blocks, found.spec)["sentence"] == found.summary["sentence"]
    )

"""A run counts what it computed, and can go on if it can't tell yet."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.client import client
from app.client.client import Run
from app.results.call_lines import call_lines
from app.views.run import header, longer_run
from engine.contract.events import Block
from engine.contract.jobs import Job, JobState
from engine.contract.run_spec import MOST_REPLICATES, RunSpec
from engine.stats.claims.calls import Call
from tests.figures.made import claim

LOOKS = (2, 4, 6)


def ended(tiny: RunSpec, ran: int, looks: tuple[int, ...] = LOOKS) -> Run:
    """Return a run that is done; its replicates came in batches of two."""
    most = looks[-1] if looks else ran
    spec = tiny.model_copy(update={"looks": looks, "replicates": most})
    axes, rows = ("replicate", "task"), np.zeros((2, 4))
    blocks = tuple(
        Block(
            "sgd", "test", "area", axes, rows, coords={"replicate": (first, first + 1)}
        )
        for first in map(float, range(0, ran, 2))
    )
    return Run("k", spec, blocks, Job("k", JobState.DONE, "", 0.0))


def test_the_sample_is_what_was_computed_not_the_ceiling(tiny: RunSpec) -> None:
    run = ended(tiny, 4)
    assert header.describe_sample(run).startswith("4 replicates × ")
    begun = Run("k", run.spec, ())  # what the first batch will be
    assert header.describe_sample(begun).startswith("2 replicates × ")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("better", "Decided after 4 of at most 6 replicates"),
        ("can't tell yet", "Open after 4 of at most 6 replicates"),
    ],
)
def test_a_run_until_decided_says_when_it_stopped(
    call: Call, said: str, tiny: RunSpec
) -> None:
    run = ended(tiny, 4)
    found = claim("sgd", call, primary=True, decisive=True, n_replicates=4)
    filed = {**vars(found), "condition": vars(found.condition)}
    (*_, line) = call_lines(replace(run, summary={"claims": [filed]}), {})
    assert line.endswith(f"{said}.")
    for looks in ((), (6,)):  # a fixed size, and one look
        spec = run.spec.model_copy(update={"looks": looks})
        told = replace(run, spec=spec, summary={"claims": [filed]})
        assert "at most" not in call_lines(told, {})[-1]
        assert header.describe_sample(told) == ""  # each thing is said once


def test_a_run_that_failed_before_its_first_number_has_no_sample(tiny: RunSpec) -> None:
    job = Job("k", JobState.FAILED, "", 0.0)
    assert header.describe_sample(Run("k", tiny, (), job)) == ""


@pytest.mark.parametrize(
    ("looks", "longer"),
    [(LOOKS, (2, 4, 6, 8, 10, 12)), ((2,), (2, 4)), ((), (4,))],
    ids=["until decided", "quick", "fixed"],
)
def test_a_longer_run_keeps_the_looks_and_doubles_the_ceiling(
    looks: tuple[int, ...], longer: tuple[int, ...], tiny: RunSpec
) -> None:
    run = ended(tiny, looks[-1] if looks else 2, looks)
    made = longer_run.longer_spec(run)
    assert made is not None
    assert made.looks == longer
    assert made == run.spec.model_copy(
        update={"looks": longer, "replicates": longer[-1]}
    )


def test_there_is_no_longer_run_at_the_limit(tiny: RunSpec) -> None:
    looks = (100, MOST_REPLICATES)
    assert longer_run.longer_spec(ended(tiny, 2, looks)) is None
    single = tuple(range(1, 41))  # 80 looks of one replicate each are too many
    assert longer_run.longer_spec(ended(tiny, 2, single)) is None


def test_adding_replicates_files_the_longer_run_and_shows_it(
    lab: AppTest, key: str
) -> None:
    """The first run has two replicates, too few to tell anything."""
    lab.query_params["run"] = key
    at = lab.run().button(key="add_replicates").click().run()
    assert not at.exception
    (queued,) = client.jobs([JobState.QUEUED])[0]
    assert client.spec(queued.key).replicates == 4
    assert at.query_params["run"] == queued.key
    assert "add_replicates" not in [button.key for button in at.button]

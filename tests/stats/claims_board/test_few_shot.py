"""Judges of few-shot claims give the verdict that known errors call for."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from engine import studies
from engine.catalogue import discover_parts
from engine.contract.events import Artefact, Block, Timing
from engine.contract.run_spec import RunSpec
from engine.stats.claims_board import StudyVerdict, judge_study
from engine.stats.claims_board.few_shot import PAIRS
from engine.studies.few_shot import DIVERSITY, few_shot_studies
from engine.studies.few_shot_methods import SHOTS, few_shot_method_studies

discover_parts()
REPLICATES, TASKS = 6, 40


class MadeUp(NamedTuple):
    """A finished run with known errors."""

    spec: RunSpec
    blocks: list[Block]
    timings: tuple[Timing, ...] = ()

    def film(self, name: str) -> Artefact | None:
        return None


def block(label: str, mean: float, metric: str = "error") -> Block:
    """Return errors with a noise of 5 % from replicate to replicate."""
    rng = np.random.default_rng([*label.encode(), len(metric)])
    noise = 0.05 * rng.standard_normal((REPLICATES, 1))
    rows = mean + noise if metric == "nll" else mean * np.exp(noise)
    axes = ("replicate", "task")
    return Block(label, "test", metric, axes, np.repeat(rows, TASKS, 1))


def judged(name: str, *more: dict[str, float], **errors: float) -> StudyVerdict:
    """Judge a study whose learners have these mean errors, and log scores of them.

    Args:
        name: The study.
        more: Mean errors in its further runs.
        errors: Mean errors in its first run, by label.
    """
    runs = []
    specs = studies.study(name).specs[: 1 + len(more)]
    for spec, means in zip(specs, (errors, *more), strict=True):
        blocks = [block(at, mean) for at, mean in means.items()]
        blocks += [block(at, mean, "nll") for at, mean in means.items()]
        runs.append(MadeUp(spec.model_copy(update={"kind": "few_shot"}), blocks))
    return judge_study(name, runs)


@pytest.mark.parametrize(
    ("mann", "recurrent", "verdict"),
    [
        (0.2, 0.3, "supported"),
        (0.5, 0.6, "not supported"),
        (0.2, 0.6, "depends"),
        (0.2, 0.4, "can't tell yet"),
    ],
)
def test_all_that_is_claimed_must_hold(
    mann: float, recurrent: float, verdict: str
) -> None:
    found = judged("online_labels", mann=mann, recurrent=recurrent, maml=0.4)
    assert found.verdict == verdict


def test_the_estimate_is_of_the_pair_that_speaks_least_for_the_claim() -> None:
    found = judged("online_labels", mann=0.1, recurrent=0.2, maml=0.4)
    assert found.estimate == pytest.approx(50.0, abs=5.0)
    assert "recurrent" in found.reason.lower() and "50" not in found.unit


@pytest.mark.parametrize(
    ("two", "verdict"),
    [(1.0, "supported"), (1.1, "supported"), (1.5, "not supported")],
)
def test_two_parameters_may_be_a_quarter_worse_than_five(
    two: float, verdict: str
) -> None:
    found = judged("context_parameters", one=3.0, two=two, five=1.0)
    assert found.verdict == verdict and found.claimed == (-25.0,)
    assert found.estimate == pytest.approx(100 * (1 - two), abs=6.0)


@pytest.mark.parametrize(
    ("transformer", "verdict"),
    [
        (1.0, "supported"),
        (1.1, "supported"),
        (1.25, "can't tell yet"),
        (1.5, "not supported"),
    ],
)
def test_a_transformer_may_be_a_quarter_worse_than_the_posterior(
    transformer: float, verdict: str
) -> None:
    found = judged("in_context", transformer=transformer, bayes_linear=1.0)
    assert found.verdict == verdict and found.claimed == (-25.0,)
    assert found.estimate == pytest.approx(100 * (1 - transformer), abs=6.0)


def test_likelihoods_are_compared_by_their_difference() -> None:
    found = judged("doubt", neural_process=-0.4, deep_kernel=-0.2, maml=0.6)
    assert found.verdict == "supported"
    assert found.estimate == pytest.approx(0.8, abs=0.1)


def diversity(slope: float) -> StudyVerdict:
    """Judge runs whose relative error falls by so many ln per tenfold tasks."""
    runs = []
    for spec, count in zip(studies.study("diversity").specs, DIVERSITY, strict=True):
        error = np.exp(-slope * np.log10(count or 1000))
        blocks = [block("maml", float(error)), block("from_scratch", 1.0)]
        runs.append(MadeUp(spec.model_copy(update={"kind": "few_shot"}), blocks))
    return judge_study("diversity", runs)


@pytest.mark.parametrize(
    ("slope", "verdict"), [(0.3, "supported"), (-0.3, "not supported")]
)
def test_diversity_is_judged_by_the_slope(slope: float, verdict: str) -> None:
    found = diversity(slope)
    assert found.verdict == verdict
    assert found.estimate == pytest.approx(slope, abs=1e-9)  # the noise is the same
    assert len(found.rows) == len(DIVERSITY)


def test_a_learner_that_was_not_tested_leaves_the_claim_open() -> None:
    assert judged("mixture", maml=1.0).verdict == "can't tell yet"


METHODS = {"first_order": "fomaml", "head_only": "anil", "pretraining": "fine_tune"}


@pytest.mark.parametrize(
    ("study", "waves", "characters", "verdict"),
    [
        ("first_order", 1.1, 1.1, "supported"),
        ("first_order", 1.5, 1.5, "not supported"),
        ("head_only", 0.9, 0.9, "supported"),
        ("head_only", 1.4, 1.4, "not supported"),
        ("head_only", 1.5, 0.9, "depends"),
        ("pretraining", 9.0, 1.1, "can't tell yet"),
    ],
)
def test_a_rival_of_maml_must_come_near_it_on_both(
    study: str, waves: float, characters: float, verdict: str
) -> None:
    rival = METHODS[study]
    found = judged(study, {rival: characters, "maml": 1.0}, **{rival: waves, "maml": 1})
    assert found.verdict == verdict


def test_few_steps_may_be_a_quarter_worse_than_many() -> None:
    enough = judged("few_steps", maml=1.1, many_steps=1.0, from_scratch=2.0)
    assert enough.verdict == "supported" and enough.claimed == (-25.0,)
    assert judged("few_steps", maml=1.5, many_steps=1.0).verdict == "not supported"


def test_ways_are_compared_between_runs() -> None:
    few, fewer = {"protonet": 0.4}, {"protonet": 0.1}
    found = judged("more_ways", few, fewer, protonet=0.2)
    assert found.verdict == "supported"
    assert found.estimate == pytest.approx(50.0, abs=1e-9)  # the noise is the same
    assert judged("more_ways", fewer, few, protonet=0.2).verdict == "not supported"


@pytest.mark.parametrize(
    ("queries", "verdict"), [(0.5, "supported"), (0.99, "not supported")]
)
def test_a_leak_saves_a_twentieth_of_the_error(queries: float, verdict: str) -> None:
    honest = {"maml": 0.4, "protonet": 0.4}
    leaky = {label: queries * error for label, error in honest.items()}
    found = judged("batch_statistics", honest, **leaky)
    assert found.verdict == verdict and found.claimed == (5.0,)


@pytest.mark.parametrize(
    ("few", "many", "verdict"),
    [
        (0.5, 1.0, "supported"),
        (2.0, 1.0, "not supported"),
        (0.5, 0.2, "depends"),
        (0.5, 0.5, "can't tell yet"),
    ],
)
def test_data_must_be_scarce_for_the_gain(
    few: float, many: float, verdict: str
) -> None:
    runs = []
    specs = studies.study("scarce_data").specs
    ratios = np.geomspace(few, many, len(SHOTS))
    for number, (spec, ratio) in enumerate(zip(specs, ratios, strict=True)):
        # The noise of the last run differs, so that equal ratios have an interval.
        own = block("maml" if number < len(SHOTS) - 1 else "m", float(ratio))
        blocks = [replace(own, learner="maml"), block("from_scratch", 1.0)]
        runs.append(MadeUp(spec.model_copy(update={"kind": "few_shot"}), blocks))
    found = judge_study("scarce_data", runs)
    assert found.verdict == verdict
    assert len(found.rows) == len(SHOTS) + 1


def test_every_pair_is_among_the_learners_of_its_runs() -> None:
    for study in (*few_shot_studies(), *few_shot_method_studies()):
        labels = [{choice.label for choice in spec.learners} for spec in study.specs]
        for pair in [p for pairs in PAIRS.get(study.name, ()) for p in pairs]:
            assert pair.learner in labels[pair.runs[0]]
            assert pair.against in labels[pair.runs[1]]

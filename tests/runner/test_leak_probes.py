"""Probes see what they are for: company, order, copies, and the best there can be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.rng import Rng
from engine.contract.run_spec import RunSpec, complete_spec
from engine.protocol import EpisodeBatch
from engine.runner import leak_probes, learner_probes
from engine.runner.context import RunContext
from engine.runner.loop import run
from engine.runner.state import RunState
from engine.tasks.few_shot.gaussian_classes import GaussianClasses, _centers
from tests.in_memory_run_cache import InMemoryRunCache

Found = dict[tuple[str, str], np.ndarray]
BUDGET = {
    **{"task_evaluations": 8, "tasks_per_step": 2, "validation_tasks": 2},
    **{"validate_every": 2, "test_tasks": 6, "horizon": 2},
}


def bench(
    family: str, net: dict[str, object], *learners: str, **changes: int
) -> RunContext:
    spec = RunSpec.model_validate(
        {
            "family": {"name": family},
            "net": {"name": "mlp", "knobs": {"depth": 1, "width": 8} | net},
            "learners": [{"name": name} for name in learners],
            "budget": BUDGET | changes,
            "replicates": 2,
        }
    )
    return RunContext(complete_spec(spec, find_card, "cpu"))


def probed(given: RunContext) -> Found:
    """Probe untrained learners, and the episodes themselves."""
    state, found = RunState(), {}
    tasks = given.draw(given.setting, "test", ("test", 0), 1)
    events = list(leak_probes.probe_tasks(given, state))
    for entry in given.entries:
        state.metas[entry.label] = entry.learner.init(
            given.streams("init"), tasks
        ).weights
        events += learner_probes.probe_learner(given, entry, state)
    for event in events:
        if isinstance(event, Block):
            found[event.learner, event.metric] = event.array
    return found


@pytest.mark.parametrize("learner", ["protonet", "maml"])
@pytest.mark.parametrize(
    ("norm", "share", "rows"),
    [("none", 0, 0), ("layer", 0, 0), ("batch", 1, 75), ("support_batch", 0, 5)],
)
def test_only_batch_statistics_make_an_answer_depend_on_its_company(
    learner: str, norm: str, share: float, rows: int
) -> None:
    found = probed(bench("gaussian_classes", {"normalization": norm}, learner))
    assert found[learner, "company_matters"].mean() == pytest.approx(share, abs=0.05)
    assert found["", "normed_over"] == rows
    same = found[learner, "alone_error"] == found[learner, "together_error"]
    assert same.all() or share


def test_renaming_classes_cannot_matter_to_distances_and_shuffling_does() -> None:
    given = bench("gaussian_classes", {}, "protonet")
    found = probed(given)
    asked = found["protonet", "as_asked_error"]
    assert (found["protonet", "reordered_error"] == asked).all()
    assert found["protonet", "shuffled_error"].mean() > asked.mean() + 0.2
    assert found["", "chance_error"] == pytest.approx(0.8)


def test_a_query_repeated_unchanged_has_the_error_of_the_test() -> None:
    given = bench("gaussian_classes", {}, "protonet")
    rows = [e for e in run(given.spec, InMemoryRunCache()) if isinstance(e, Block)]
    told = {(b.metric, b.phase): b.array for b in rows if b.learner == "protonet"}
    np.testing.assert_allclose(
        told["as_asked_error", "test"], told["error", "test"], atol=1e-6
    )


def test_values_have_no_classes_to_rename_and_no_chance() -> None:
    found = probed(bench("sinusoids", {}, "maml"))
    assert ("maml", "reordered_error") not in found
    assert ("", "chance_error") not in found
    assert ("", "label_mismatch") not in found
    assert (found["maml", "company_matters"] == 0).all()


def test_more_test_tasks_leave_the_earlier_probes_as_they_were() -> None:
    few = probed(bench("gaussian_classes", {}, "protonet", test_tasks=3))
    many = probed(bench("gaussian_classes", {}, "protonet", test_tasks=6))
    for name, rows in few.items():
        longer = many[name]
        assert np.allclose(longer[:, :3] if rows.ndim else longer, rows, atol=1e-6)


def test_a_copy_between_support_and_query_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = bench("gaussian_classes", {}, "protonet")
    assert (probed(given)["", "duplicates"] == 0).all()
    draw = RunContext.draw

    def leaky(self: RunContext, *how: object) -> EpisodeBatch:
        tasks = draw(self, *how)  # type: ignore[arg-type]
        assert isinstance(tasks, EpisodeBatch)
        x = tasks.query.x.clone()
        x[:, :, :2] = tasks.support.x[:, :, :2]
        return replace(tasks, query=replace(tasks.query, x=x))

    monkeypatch.setattr(RunContext, "draw", leaky)
    assert (probed(given)["", "duplicates"] == 2).all()


def test_the_best_error_between_two_gaussians_is_that_of_their_distance() -> None:
    family = GaussianClasses(ways=2, queries=200, noise=1.0)
    told, expected = [], []
    for t in range(40):
        rng = Rng(3).child(t)
        ids = family.sample(rng, "test").held_ids
        assert ids is not None
        first, second = _centers("test", 16, 4)[[ids[0], ids[-1]]]
        expected.append(norm.cdf(-np.linalg.norm(first - second) / 2))
        told.append(family.best_error(rng, "test"))
    assert np.mean(told) == pytest.approx(np.mean(expected), abs=0.01)


def test_nobody_is_asked_where_it_cannot_answer() -> None:
    given = bench("gaussian_classes", {}, "maml")
    wide = given.setting.family.model_copy(update={"ways": 7})
    state = RunState()
    tasks = given.draw(given.setting, "test", ("test", 0), 1)
    (entry,) = given.entries
    state.metas["maml"] = entry.learner.init(given.streams("init"), tasks).weights
    other = RunContext(given.spec)
    other.__dict__["setting"] = replace(given.setting, family=wide)
    assert list(learner_probes.probe_learner(other, entry, state)) == []

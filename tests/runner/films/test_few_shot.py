"""What is shown of few-shot tasks is what was tested, and it survives a kill."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.events import Artefact, Block, Checkpoint, Event
from engine.protocol import EpisodeBatch, ExampleBatch, Meta
from engine.protocol.member_chunks import broadcast_to_members
from engine.runner.context import RunContext
from engine.runner.films.embeddings import snapshot_steps
from engine.runner.films.few_shot import rank_tasks
from engine.runner.films.function_curves import frame_positions
from engine.runner.meta_test import draw_test_tasks as all_tasks
from engine.tasks.few_shot._display import display_bytes, image_bytes, leading_examples
from tests.laws.small import events, learner_spec

LEARNERS = [{"name": "maml"}, {"name": "protonet", "role": "baseline"}]
BUDGET = {"test_tasks": 6, "validate_every": 1, "task_evaluations": 40}


def curves_spec(**fields: Any) -> Any:
    return learner_spec("maml", budget=BUDGET, **fields)


def classes_spec(**fields: Any) -> Any:
    return learner_spec(
        "protonet", "gaussian_classes", learners=LEARNERS, budget=BUDGET, **fields
    )


@cache
def played(kind: str) -> list[Event]:
    """Return all events of the plain run of either kind."""
    return list(events(curves_spec() if kind == "curves" else classes_spec()))


def shown(found: Iterator[Event] | list[Event], name: str = "film") -> Artefact:
    (made,) = [e for e in found if isinstance(e, Artefact) and e.name == name]
    return made


def errors(found: list[Event], label: str, shift: str = "") -> np.ndarray:
    (block,) = [
        e
        for e in found
        if isinstance(e, Block)
        and (e.learner, e.metric, e.condition.shift) == (label, "error", shift)
    ]
    return np.asarray(block.array)[0]


@pytest.mark.parametrize("kind", ["curves", "classes"])
def test_worst_median_and_best_are_what_they_are_called(kind: str) -> None:
    found = played(kind)
    film, each = shown(found), errors(found, "maml")
    assert film.info["which"] == ["worst", "median", "best"]
    if film.info["form"] == "adaptation":
        last = film.info["answers"]["maml"]
        at = film.arrays["maml/steps"].tolist().index(last)
        seen = np.minimum(film.arrays["maml/mse"][:, at], 100.0)
    else:
        seen = 1.0 - film.arrays["maml/accuracy"]
    wanted = [each.max(), np.sort(each)[(len(each) - 1) // 2], each.min()]
    np.testing.assert_allclose(seen, wanted, rtol=1e-4, atol=1e-6)


def test_films_curves_are_what_the_learner_predicts_on_the_grid() -> None:
    spec, found = curves_spec(), played("curves")
    film, context = shown(found), RunContext(spec)
    frozen = shown(found, "maml")
    learner = context.entries[0].learner
    assert isinstance(learner, FewShotLearner)
    condition = context.test_conditions()[0][0]
    worst = int(errors(found, "maml").argmax())
    tasks = all_tasks(context, condition).take([worst])
    assert isinstance(tasks, EpisodeBatch)
    assert tasks.truth is not None
    truth = tasks.truth
    weights = {n: torch.from_numpy(a[:1].copy()) for n, a in frozen.arrays.items()}
    asked = replace(tasks, query=ExampleBatch(truth[:, :1], truth[:, 1]))
    answers = list(learner.predict(broadcast_to_members(weights, 1), asked))
    assert film.arrays["maml/steps"].tolist() == [p.step for p in answers]
    for frame, answer in enumerate(answers):
        curve = film.arrays["maml/curve"][0, frame]
        np.testing.assert_allclose(curve, answer.query_outputs[0, 0].numpy(), atol=1e-5)
    np.testing.assert_array_equal(film.arrays["truth"][0], truth[0, 1].numpy())
    np.testing.assert_array_equal(
        film.arrays["support_y"][0], tasks.support.y[0].numpy()
    )


def test_answers_of_an_episode_are_those_that_were_counted() -> None:
    film = shown(played("classes"))
    for label in ("maml", "protonet"):
        right = film.arrays[f"{label}/answer"] == film.arrays["query_y"]
        np.testing.assert_allclose(right.mean(1), film.arrays[f"{label}/accuracy"])
    assert film.arrays["support_x"].shape[:2] == film.arrays["support_y"].shape
    assert film.arrays["query_x"].dtype == np.float32


def test_the_shifted_film_has_worst_and_best_of_its_own_at_the_worst_severity() -> None:
    shifts = [{"name": "feature_noise", "severities": [0.5, 2.0]}]
    spec = classes_spec(shifts=shifts)
    found = [
        e
        for e in events(spec)
        if not isinstance(e, Block) or e.condition.severity in (0.0, 2.0)
    ]
    film, each = shown(found, "film-shifted"), errors(found, "maml", "feature_noise")
    assert film.info["condition"]["severity"] == 2.0
    assert film.info["judged"] == film.info["condition"]
    seen = 1.0 - film.arrays["maml/accuracy"]
    np.testing.assert_allclose(seen[[0, 2]], [each.max(), each.min()], atol=1e-6)


def test_a_run_that_was_killed_shows_the_same_tasks_and_features() -> None:
    written = played("classes")
    points = [(i + 1, e) for i, e in enumerate(written) if isinstance(e, Checkpoint)]
    for count, point in points[:: max(1, len(points) // 2)]:
        both = [*written[:count], *events(classes_spec(), point)]
        pictures = {
            e.name: e
            for e in both
            if isinstance(e, Artefact) and e.kind in ("film", "snapshot")
        }
        for whole in written:
            if isinstance(whole, Artefact) and whole.name in pictures:
                again = pictures[whole.name]
                assert whole.info == again.info
                for name, array in whole.arrays.items():
                    np.testing.assert_array_equal(array, again.arrays[name])


def test_a_task_with_more_queries_than_room_shows_the_first_of_each_class() -> None:
    y = torch.tensor([[2, 0, 1, 2, 1, 0, 2]])
    assert leading_examples(y, 1) == [0, 1, 2]
    assert leading_examples(y, 2) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("errors", "wanted"),
    [
        ([3.0], {"only": 0}),
        ([3.0, 1.0], {"worst": 0, "best": 1}),
        ([1.0, 1.0, 1.0], {"worst": 2, "median": 1, "best": 0}),
        ([5.0, 1.0, 100.0, 2.0], {"worst": 2, "median": 3, "best": 1}),
    ],
)
def test_places_name_different_tasks(
    errors: list[float], wanted: dict[str, int]
) -> None:
    assert rank_tasks(np.array(errors)) == wanted


def test_images_become_bytes_that_keep_their_contrast() -> None:
    faint = torch.full((1, 2, 1, 4, 4), 0.4)
    faint[0, 1] = 0.6
    assert image_bytes(faint)[0, :, 0, 0].tolist() == [102, 153]
    large = torch.rand(1, 1, 3, 105, 105)
    small = image_bytes(large)
    assert small.shape == (1, 1, 35, 35, 3)
    assert small[0, 0].size == display_bytes((3, 105, 105))
    mean = float(large[0, 0, 0, :3, :3].mean())
    assert abs(small[0, 0, 0, 0, 0] / 255 - mean) < 0.01


def test_long_adaptations_are_filmed_at_25_steps_and_the_answer() -> None:
    kept = frame_positions(list(range(0, 1000, 5)), 35)
    assert len(kept) <= 26
    assert {0, 7, 199} <= set(kept)


def test_embeddings_are_kept_twelve_times_and_are_the_nets_features() -> None:
    spec, found = classes_spec(), played("classes")
    kept = [e for e in found if isinstance(e, Artefact) and e.kind == "snapshot"]
    mine = [e for e in kept if e.info["learner"] == "protonet"]
    steps = [e.info["meta_step"] for e in mine]
    plan = 40 // spec.budget.tasks_per_step
    assert steps == sorted(snapshot_steps(plan, 1))
    assert len(steps) == 12
    context = RunContext(spec)
    entry = next(e for e in context.entries if e.label == "protonet")
    count = spec.budget.validation_tasks
    tasks = context.draw(context.setting, "validation", ("validate", 0), count)
    assert isinstance(tasks, EpisodeBatch)
    meta: Meta = entry.learner.init(context.streams("init"), tasks)
    body = {n: meta.weights[n][:1] for n in tasks.body.names}
    features = tasks.net.apply(body, tasks.support.x[:1])[0].mT
    np.testing.assert_allclose(mine[0].arrays["support"], features.numpy(), atol=1e-6)
    assert not np.allclose(mine[0].arrays["support"], mine[-1].arrays["support"])


def test_values_have_no_map_and_landscapes_no_episode() -> None:
    kinds = {e.kind for e in events(curves_spec()) if isinstance(e, Artefact)}
    assert "snapshot" not in kinds
    found = list(events(learner_spec("sgd")))
    forms = [
        e.info["form"] for e in found if isinstance(e, Artefact) and e.kind == "film"
    ]
    assert forms == ["boundary"]


def test_pictures_are_small() -> None:
    for kind in ("curves", "classes"):
        for event in played(kind):
            if isinstance(event, Artefact) and event.kind in ("film", "snapshot"):
                assert sum(a.nbytes for a in event.arrays.values()) <= 400_000

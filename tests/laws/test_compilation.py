"""Laws of every learner that compiles: what is compiled is what it does."""

import pytest
import torch

from engine.algorithms.few_shot.compiled_gradients import Compiled, gaps
from engine.contract.registry import part
from engine.protocol import Lesson, Meta, Outer, Quicken, unchanged
from engine.protocol.chunks import chunks
from engine.runner.context import Bench
from tests.laws.small import learner_spec, names

COMPILES = [n for n in names("learner") if getattr(part("learner", n), "compiles", 0)]
ROUND_OFF = 1e-5


def taught(bench: Bench, step: int, done: float, quicken: Quicken) -> Outer:
    """Take a lesson anywhere in training, from weights that are not the start's."""
    (entrant,) = bench.entrants
    tasks = bench.draw(bench.setting, "train", ("train", "tasks", step), 3)
    start = entrant.learner.init(bench.streams("init"), tasks)
    draw = torch.Generator().manual_seed(step)
    shaken = {
        name: value * (1 + 0.1 * torch.rand(value.shape, generator=draw))
        for name, value in start.weights.items()
    }
    lesson = Lesson(step, 0, 1, bench.streams("train", step), done, quicken)
    meta = Meta(shaken, start.memory)
    return entrant.learner.outer(meta, tasks, lesson, bench.estimator)


@pytest.mark.parametrize("name", COMPILES)
def test_what_was_followed_at_the_first_lesson_holds_at_any_later_one(
    name: str,
) -> None:
    bench = Bench(learner_spec(name))
    followed = Compiled(lambda graph, inputs: graph)
    for step, done in ((0, 0.0), (7, 0.9)):
        quick = taught(bench, step, done, followed)
        slow = taught(bench, step, done, unchanged)
        assert gaps(quick.grads or {}, slow.grads or {}).max() < ROUND_OFF
        torch.testing.assert_close(quick.info, slow.info)
        assert (quick.settled or {}).keys() == (slow.settled or {}).keys()
    assert followed.count == 1


@pytest.mark.parametrize("name", COMPILES[:1])
def test_members_in_chunks_are_followed_once_for_each_size(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(learner_spec(name))
    monkeypatch.setattr(type(bench.setting.net), "chunk", 2)
    sizes = [
        len(m)
        for m, _ in chunks(bench.draw(bench.setting, "train", ("train", "tasks", 0), 3))
    ]
    assert sizes == [2, 1, 2, 1]
    followed = Compiled(lambda graph, inputs: graph)
    quick = taught(bench, 0, 0.0, followed)
    slow = taught(bench, 0, 0.0, unchanged)
    assert gaps(quick.grads or {}, slow.grads or {}).max() < ROUND_OFF
    assert followed.count == 2

"""Hand-made optimizers as learners: their rate, schedule and rows."""

import pytest
import torch

from engine.algorithms.optimization.update_rules import Schedule, schedule_factor
from engine.contract.cards import card_of, complete_knobs
from engine.contract.registry import part, parts
from engine.contract.rng import Rng
from engine.learners.baseline.sgd import Sgd
from engine.protocol import Meta
from engine.protocol.member_chunks import join_segments
from tests.learners.bowls import Draw, random_bowls

NAMES = [
    p.name
    for p in parts("learner")
    if getattr(p, "tunable", False) and "optimization" in p.solves
]


@pytest.mark.parametrize("name", NAMES)
def test_a_rate_per_replicate_is_that_replicates_rate(name: str, draw: Draw) -> None:
    both, learner = draw(replicates=2, tasks=2, horizon=8), part("learner", name)()
    rates = torch.tensor([0.01, 0.2], dtype=torch.float64)
    together = join_segments(list(learner.adapt(Meta({"lr": rates}, {}), both))).traces
    for r in range(2):
        alone = both.take(range(2 * r, 2 * r + 2))
        meta = Meta({"lr": rates[r : r + 1]}, {})
        traces = join_segments(list(learner.adapt(meta, alone))).traces
        rows = together["loss"][2 * r : 2 * r + 2]
        assert (rows - traces["loss"]).abs().max() < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_one_tuned_rate_serves_every_replicate(name: str, draw: Draw) -> None:
    tasks, learner = draw(replicates=3, tasks=2, horizon=5), part("learner", name)()
    one = Meta({"lr": torch.full((1,), 0.05, dtype=torch.float64)}, {})
    three = Meta({"lr": torch.full((3,), 0.05, dtype=torch.float64)}, {})
    first = join_segments(list(learner.adapt(one, tasks))).traces
    second = join_segments(list(learner.adapt(three, tasks))).traces
    assert torch.equal(first["loss"], second["loss"])


@pytest.mark.parametrize("name", NAMES)
def test_the_card_offers_rate_tuning_and_schedule(name: str) -> None:
    card = card_of(part("learner", name))
    assert {"lr", "tuning", "schedule"} <= {knob.name for knob in card.knobs}
    assert card.group == "baseline"
    assert card.traits["tunable"]
    assert complete_knobs(card, {}) == part("learner", name)().model_dump()


@pytest.mark.parametrize("schedule", ["step", "cosine", "warmup_cosine"])
def test_the_scale_on_screen_is_the_schedule(schedule: Schedule) -> None:
    tasks, learner = random_bowls(2), Sgd(lr=0.01, schedule=schedule)
    meta = learner.init([Rng(0)], tasks)
    scale = join_segments(list(learner.adapt(meta, tasks))).traces["lr_scale"]
    share = [schedule_factor(schedule, t, tasks.horizon) for t in range(tasks.horizon)]
    assert scale[0].tolist() == pytest.approx(share)
    assert share[-1] < 0.02 < max(share) == 1.0


def test_a_hand_made_optimizer_does_not_move_in_meta_training(draw: Draw) -> None:
    tasks = draw(tasks=1, horizon=3)
    meta = Sgd().init([Rng(0)], tasks)
    outer = Sgd().outer(meta, tasks, None, None)
    assert outer.grads is None
    assert outer.weights is meta.weights

"""Running statistics after a meta-step."""

import pytest
import torch

from engine.algorithms.few_shot.inner_loop import inner_steps
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.few_shot.running_statistics import (
    BatchStatistics,
    batch_statistics,
    update_statistics,
)
from engine.nets.tower import Tower
from engine.protocol import EpisodeBatch, Meta, Weights
from tests.nets.drawing import episodes, started

NET = Tower(widest=16, narrowest=8, depth=2, normalization="meta_batch", norm_steps=3)


def lesson(tasks: EpisodeBatch, meta: Weights) -> list[BatchStatistics]:
    """Look at the support at each step and at the queries after the last."""
    seen: list[BatchStatistics] = []

    def lost(theta: Weights, batch: EpisodeBatch) -> torch.Tensor:
        for at in inner_steps(batch, theta, sgd(0.05), 2, order=2):
            seen.append(batch_statistics(batch, at.weights, batch.support, at.step))
            if at.step == 2:
                seen.append(batch_statistics(batch, at.weights, batch.query, 2))
        return batch.loss(at.weights, batch.query, 2)

    outer_gradient(Meta(meta, {}), tasks, lost)
    return seen


def test_statistics_go_a_share_of_the_way_to_the_tasks_mean() -> None:
    tasks = episodes(NET, tasks=3, replicates=2)
    meta = started(tasks)
    moved = update_statistics(meta, lesson(tasks, meta), 2, rate=0.25)
    assert set(moved) == set(tasks.layout.buffers)
    x = tasks.support.x[3:]
    h = torch.einsum("of,tfe->toe", meta["w0"][1], x)
    mean = h.mean(2).mean(0)
    variance = h.var(2, correction=0).mean(0)
    for name, seen in (("mean0", mean), ("variance0", variance)):
        old = meta[name][1, 0]
        torch.testing.assert_close(moved[name][1, 0], 0.75 * old + 0.25 * seen)


def test_a_step_with_support_and_queries_counts_both_alike() -> None:
    tasks = episodes(NET, tasks=3, replicates=2)
    meta = started(tasks)
    seen = lesson(tasks, meta)
    last = [at.values["mean1"] for at in seen if at.step == 2]
    assert len(last) == 2
    moved = update_statistics(meta, seen, 2, rate=1.0)["mean1"][:, 2]
    both = torch.stack(last).mean(0).view(2, 3, -1).mean(1)
    torch.testing.assert_close(moved, both)


def test_chunks_do_not_change_what_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = episodes(NET, tasks=3, replicates=2)
    meta = started(tasks)
    whole = update_statistics(meta, lesson(tasks, meta), 2)
    for chunk in (1, 2, 3):
        monkeypatch.setattr(Tower, "chunk", chunk)
        pieces = update_statistics(meta, lesson(tasks, meta), 2)
        for name, value in whole.items():
            torch.testing.assert_close(pieces[name], value)


def test_no_number_moves_no_statistics_but_its_own_replicates() -> None:
    tasks = episodes(NET, tasks=3, replicates=2)
    meta = started(tasks)
    seen = lesson(tasks, meta)
    clean = update_statistics(meta, seen, 2)["mean0"]
    seen[0].values["mean0"][1, 0] = torch.nan
    moved = update_statistics(meta, seen, 2)["mean0"]
    assert torch.equal(moved[0, 0], meta["mean0"][0, 0])
    assert torch.equal(moved[1], clean[1])


def test_steps_that_were_not_seen_keep_their_statistics() -> None:
    tasks = episodes(NET, tasks=3, replicates=2)
    meta = started(tasks)
    seen = [at for at in lesson(tasks, meta) if at.step == 0]
    moved = update_statistics(meta, seen, 2)["variance1"]
    assert not torch.equal(moved[:, 0], meta["variance1"][:, 0])
    assert torch.equal(moved[:, 1:], meta["variance1"][:, 1:])


def test_later_steps_count_as_the_last_that_is_kept() -> None:
    values = {"mean0": torch.ones(2, 4)}
    weights = {"mean0": torch.zeros(1, 3, 4)}
    seen = [
        BatchStatistics(2, False, values),
        BatchStatistics(7, False, {"mean0": torch.full((2, 4), 3.0)}),
    ]
    moved = update_statistics(weights, seen, 1, rate=1.0)["mean0"]
    assert torch.equal(moved[0, :, 0], torch.tensor([0.0, 0.0, 2.0]))


def test_nets_without_running_statistics_settle_nothing() -> None:
    tasks = episodes(Tower(widest=16, narrowest=8, depth=2))
    meta = started(tasks)
    assert update_statistics(meta, lesson(tasks, meta), 1) == {}
    assert update_statistics(meta, [], 1) == {}

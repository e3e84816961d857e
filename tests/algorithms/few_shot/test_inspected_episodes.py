"""Maps show the first episode of each replicate, up to 64 × 64."""

import torch

from engine.algorithms.few_shot.inspected_episodes import (
    attention_map,
    memory_map,
)
from tests.runner.test_leak_probes import bench


def test_the_first_episode_of_each_replicate_is_shown() -> None:
    given = bench("sinusoids", {}, "maml")
    tasks = given.draw(given.setting, "test", ("test", 0), 3)
    first = tasks.first_tasks(1)
    assert (first.members, first.replicates) == (2, 2)
    assert torch.equal(first.support.x, tasks.support.x[[0, 3]])


def test_maps_are_cut_to_a_readable_size() -> None:
    assert attention_map(torch.zeros(2, 80, 10)).values.shape == (2, 64, 10)
    assert memory_map(torch.zeros(2, 50, 128)).values.shape == (2, 50, 64)

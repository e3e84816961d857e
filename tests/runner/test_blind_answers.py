"""Blind answers are those of plain counting; who memorizes classes is found out."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.contract.events import Block
from engine.learners.metric.protonet import Protonet
from engine.protocol import EpisodeBatch, Weights
from engine.runner.blind_answers import blind_errors, zero_errors
from engine.runner.context import RunContext
from engine.runner.leak_probes import probe_leaks, probe_tasks
from engine.runner.state import RunState
from engine.runner.training_class_probes import probe_training_classes
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from engine.stats.diagnosis.finding import Finding
from tests.runner.test_leak_probes import bench
from tests.runner.test_support_probes import _Reader, entry, online


class _Constant(_Reader):
    """Always answers class 0."""

    def read(self, tasks: EpisodeBatch) -> Tensor:
        return torch.eye(tasks.outputs)[0].expand(*tasks.query.y.shape, -1).mT


class _Memorizer(_Reader):
    """Knows which label belongs to each class of the pool, and ignores the support."""

    trains: ClassVar[bool] = True

    def read(self, tasks: EpisodeBatch) -> Tensor:
        return torch.nn.functional.one_hot(tasks.query.y, tasks.outputs).mT.float()


def drawn(given: RunContext, count: int = 6) -> EpisodeBatch:
    tasks = given.draw(given.setting, "test", ("test", 0), count)
    assert isinstance(tasks, EpisodeBatch)
    return tasks


def test_the_most_frequent_class_of_a_support_is_the_blind_answer() -> None:
    tasks = drawn(bench("gaussian_classes", {}, "maml"))
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 5, (tasks.members, 9))
    cut = tasks.query.cut(0, 9)
    found = blind_errors(
        replace(tasks, support=replace(cut, y=torch.from_numpy(labels)))
    )
    for error, own, y in zip(found, labels, tasks.query.y.numpy(), strict=True):
        answer = np.bincount(own, minlength=5).argmax()
        assert error == pytest.approx((y != answer).mean())


def test_of_classes_that_come_one_by_one_it_is_the_rarest_so_far() -> None:
    _, tasks = online()
    for error, y in zip(blind_errors(tasks), tasks.query.y.numpy(), strict=True):
        rarest = [np.bincount(y[:t], minlength=5).argmin() for t in range(len(y))]
        assert error == pytest.approx((y != np.array(rarest)).mean())


def test_of_values_it_is_their_mean_so_far_and_0_before_the_first() -> None:
    _, tasks = online("sinusoids")
    for error, y in zip(blind_errors(tasks), tasks.query.y.numpy(), strict=True):
        means = [y[:t].mean() if t else 0.0 for t in range(len(y))]
        assert error == pytest.approx(np.square(y - means).mean(), rel=1e-5)
    usual = drawn(bench("sinusoids", {}, "maml"))
    gap = usual.query.y - usual.support.y.mean(1, keepdim=True)
    torch.testing.assert_close(blind_errors(usual), gap.square().mean(1))
    torch.testing.assert_close(zero_errors(usual), usual.query.y.square().mean(1))


def findings(
    given: RunContext, learner: _Reader | Protonet, weights: Weights, detector: int
) -> list[Finding]:
    tasks = drawn(given, 24)
    events = [
        *probe_tasks(given, RunState()),
        *probe_leaks(given, entry(learner), weights, tasks),
        *probe_training_classes(given, entry(learner), weights),
    ]
    table = BlockTable([e for e in events if isinstance(e, Block)], "few_shot")
    label = {"label": "it"}
    spec = given.spec.model_copy(
        update={"learners": (given.spec.learners[0].model_copy(update=label),)}
    )
    return [f for f in diagnose(table, spec) if f.detector == detector]


def test_one_that_always_says_the_same_has_not_learned() -> None:
    given = bench("gaussian_classes", {}, "maml", test_tasks=24)
    (idle,) = findings(given, _Constant(), {}, 37)
    assert idle.flagged
    learner = Protonet()
    weights = learner.init(given.streams("init"), drawn(given)).weights
    (able,) = findings(given, learner, weights, 37)
    assert not able.flagged


def test_shuffled_labels_of_training_classes_reveal_who_knows_them_by_heart() -> None:
    given = bench("gaussian_classes", {}, "maml", test_tasks=24)
    *_, known = findings(given, _Memorizer(), {}, 2)
    assert known.name == "Memorized classes"
    assert known.flagged
    learner = Protonet()
    weights = learner.init(given.streams("init"), drawn(given)).weights
    *_, read = findings(given, learner, weights, 2)
    assert read.name == "Memorized classes"
    assert not read.flagged


def test_only_those_trained_on_classes_are_asked_about_them() -> None:
    given = bench("gaussian_classes", {}, "maml")
    assert list(probe_training_classes(given, entry(_Constant()), {})) == []
    values = bench("sinusoids", {}, "maml")
    assert list(probe_training_classes(values, entry(_Memorizer()), {})) == []

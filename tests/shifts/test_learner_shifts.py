"""What shifts of the base learner and of the horizon do."""

import pytest
import torch

from engine.contract.errors import Refused
from engine.protocol import BatchSpec, Setting
from engine.shifts.activation import Activation
from engine.shifts.deeper import Deeper
from engine.shifts.horizon import Horizon
from engine.shifts.small_batches import SmallBatches
from engine.shifts.wider import Wider
from engine.tasks.optimization._supervised import SupervisedBatch
from engine.tasks.optimization.moons import Moons
from engine.tasks.optimization.quadratic import Quadratic
from tests.tasks.drawing import setting, streams


def knobs(changed: Setting) -> dict[str, object]:
    return changed.net.model_dump()


def test_width_doubles_and_depth_grows_by_layers() -> None:
    here = setting(Moons(), width=4)
    assert knobs(Wider().apply(here, 3.0))["width"] == 32
    assert knobs(Deeper().apply(here, 2.0))["depth"] == 3


def test_relu_and_tanh_are_exchanged() -> None:
    relu = setting(Moons(), activation="relu")
    tanh = Activation().apply(relu, 1.0)
    assert knobs(tanh)["activation"] == "tanh"
    assert knobs(Activation().apply(tanh, 1.0)) == knobs(relu)


@pytest.mark.parametrize(("batch", "size"), [(0, 8), (32, 4), (5, 1)])
def test_batches_are_halved_from_what_they_were(batch: int, size: int) -> None:
    here = setting(Moons(examples=64), batch_size=batch)
    assert knobs(SmallBatches().apply(here, 3.0))["batch_size"] == size


def test_smaller_batches_make_noisier_gradients_around_the_same_mean() -> None:
    family = Moons(examples=64)
    whole = family.draw(setting(family), streams(1), "test", BatchSpec())
    noise = []
    for severity in (1.0, 4.0):
        changed = SmallBatches().apply(setting(family, horizon=400), severity)
        tasks = family.draw(changed, streams(1), "test", BatchSpec())
        start = tasks.start()
        each = torch.stack([tasks.gradient(start, k).grad[0] for k in range(400)])
        truth = whole.gradient(start, 0).grad[0]
        error = each.std(0) / 20
        assert ((each.mean(0) - truth).abs() <= 5 * error + 1e-6).all()
        noise.append(float(each.std(0).norm()))
    # The variance goes with one over the batch size: 32 against 4.
    assert noise[1] / noise[0] == pytest.approx(8**0.5, rel=0.15)


def test_a_longer_horizon_keeps_the_tasks() -> None:
    family = Moons()
    longer = Horizon().apply(setting(family, horizon=10), 1.5)
    assert longer.horizon == 28
    tasks = family.draw(longer, streams(2), "test", BatchSpec())
    same = family.draw(setting(family, horizon=10), streams(2), "test", BatchSpec())
    assert isinstance(tasks, SupervisedBatch)
    assert torch.equal(tasks.start(), same.start())


def test_what_leaves_a_range_is_refused_in_a_sentence() -> None:
    with pytest.raises(Refused, match="Width must be a whole number from 1 to 512"):
        Wider().apply(setting(Moons(), width=300), 1.0)
    with pytest.raises(Refused, match="Hidden layers must be"):
        Deeper().apply(setting(Moons(), depth=7), 2.0)
    with pytest.raises(Refused, match="at most 20,000 are allowed"):
        Horizon().apply(setting(Moons(), horizon=5000), 3.0)


@pytest.mark.parametrize("shift", [Activation(), SmallBatches(), Wider(), Deeper()])
def test_a_bare_function_has_no_base_learner_to_change(shift: Wider) -> None:
    assert "no base learner" in shift.why_not(setting(Quadratic()))
    assert shift.why_not(setting(Moons())) is None


def test_a_linear_model_has_neither_activation_nor_width() -> None:
    flat = setting(Moons(), depth=0)
    assert "depth 0" in Activation().why_not(flat)
    assert "depth 0" in Wider().why_not(flat)
    assert Horizon().why_not(flat) is None

"""Initial weights have the distributions of PyTorch's layers and initializers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats

from engine.catalogue import find_card
from engine.contract.cards import complete_knobs
from engine.contract.events import Block
from engine.contract.rng import Rng
from engine.contract.run_keys import run_key
from engine.contract.run_spec import Budget, Choice, RunSpec, complete_spec
from engine.nets.conv4 import Conv4
from engine.nets.mlp import Mlp
from engine.nets.transformer import Transformer
from engine.presets import preset
from engine.protocol import Net
from engine.runner.loop import run
from tests.laws.small import SHELF
from tests.nets.drawing import NETS

LEVEL = 0.001  # thirty comparisons are made
INITIALIZERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "he": lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "glorot": torch.nn.init.xavier_uniform_,
    "small_normal": lambda w: torch.nn.init.trunc_normal_(w, 0.0, 0.01, -0.02, 0.02),
}


def drawn(net: Net, shape: tuple[int, ...], outputs: int = 3) -> dict[str, np.ndarray]:
    """Draw a net's weights by name."""
    layout = net.layout(shape, outputs)
    views = layout.views(torch.from_numpy(net.init(layout, Rng(5))).unsqueeze(0))
    return {name: view[0].numpy() for name, view in views.items()}


def assert_same_distribution(mine: np.ndarray, theirs: torch.Tensor) -> None:
    """Compare two samples by Kolmogorov and Smirnov's test."""
    assert mine.shape == theirs.shape
    other = theirs.detach().numpy().ravel()
    assert stats.ks_2samp(mine.ravel(), other).pvalue > LEVEL


@pytest.mark.parametrize("inputs", [1, 60])
def test_the_torch_default_is_that_of_a_linear_layer(inputs: int) -> None:
    weights = drawn(Mlp(width=400, depth=2, start="torch_default"), (inputs,))
    torch.manual_seed(0)
    for i, size in enumerate([(inputs, 400), (400, 400), (400, 3)]):
        layer = torch.nn.Linear(*size)
        bound = size[0] ** -0.5
        assert np.abs(weights[f"b{i}"]).max() <= bound
        assert_same_distribution(weights[f"w{i}"], layer.weight)
        assert_same_distribution(weights[f"b{i}"], layer.bias)
    assert np.abs(weights["b1"]).max() > 0.04  # of a bound of 0.05


def test_the_torch_default_is_that_of_a_convolution() -> None:
    net = Conv4(filters=32, normalization="none", start="torch_default")
    weights = drawn(net, (1, 16, 16))
    torch.manual_seed(0)
    for i, channels in enumerate([1, 32, 32, 32]):
        layer = torch.nn.Conv2d(channels, 32, 3)
        assert layer.bias is not None
        assert_same_distribution(weights[f"w{i}"], layer.weight)
        assert_same_distribution(weights[f"b{i}"], layer.bias)


@pytest.mark.parametrize("start", INITIALIZERS)
def test_the_other_starts_are_those_of_the_initializers(start: str) -> None:
    dense = drawn(Mlp(width=300, depth=2, start=start), (60,))
    pixels = drawn(Conv4(filters=32, start=start), (3, 16, 16))
    torch.manual_seed(0)
    for mine in (dense["w0"], dense["w1"], pixels["w0"], pixels["w1"]):
        assert_same_distribution(mine, INITIALIZERS[start](torch.empty(mine.shape)))
    for weights in (dense, pixels):
        assert not any(weights[name].any() for name in weights if name[0] == "b")


@pytest.mark.parametrize("name", NETS)
def test_normalizations_start_as_the_identity(name: str) -> None:
    net = NETS[name].model_copy(update={"start": "torch_default"})
    weights = drawn(net, (1, 16, 16))
    for scale in (n for n in weights if n.startswith(("g", "variance"))):
        assert (weights[scale] == 1.0).all()
    for shift in (n for n in weights if n.startswith("b") and f"g{n[1:]}" in weights):
        assert not weights[shift].any()
    # Every other shift is a bias, and is drawn.
    for bias in (n for n in weights if n[0] == "b" and f"g{n[1:]}" not in weights):
        assert weights[bias].any()


def test_a_transformers_biases_belong_to_its_dense_layers() -> None:
    weights = drawn(Transformer(width=16, start="torch_default"), (5,))
    assert np.abs(weights["bd1"]).max() <= 64**-0.5 < np.abs(weights["bu1"]).max()
    assert not weights["ba1"].any()


def test_the_family_says_how_a_net_starts() -> None:
    def start(family: str, **knobs: object) -> object:
        spec = preset("few_shot").spec
        net, of = Choice(name="mlp", knobs=knobs), Choice(name=family)
        changed = spec.model_copy(update={"net": net, "family": of})
        return complete_spec(changed, find_card, "cpu").net.knobs["start"]

    assert start("sinusoids") == "torch_default"
    assert start("sinusoids", depth=2, start="glorot") == "glorot"
    assert start("glyphs") == "torch_default"
    assert start("mixtures") == "he"


@pytest.mark.parametrize(
    ("start", "explodes"), [("he", True), ("torch_default", False)]
)
def test_with_one_input_he_weights_make_the_first_inner_step_explode(
    start: str, explodes: bool
) -> None:
    budget = Budget(task_evaluations=1, tasks_per_step=1, test_tasks=1, horizon=2)
    spec = completed(start).model_copy(update={"budget": budget, "shifts": ()})
    few = {"learners": spec.learners[:1], "replicates": 4, "looks": ()}
    spec = spec.model_copy(update=few)
    found = [event for event in run(spec, SHELF) if isinstance(event, Block)]
    (ratio,) = (b.array for b in found if b.metric == "first_step_ratio")
    assert ratio.shape == (spec.replicates, budget.validation_tasks)
    assert (np.median(ratio) > 3.0) == explodes


def completed(start: str) -> RunSpec:
    """Return a completed spec of sinusoids whose net starts in a way."""
    spec = preset("few_shot").spec
    net = spec.net.model_copy(update={"knobs": spec.net.knobs | {"start": start}})
    return complete_spec(spec.model_copy(update={"net": net}), find_card, "cpu")


def test_a_spec_from_before_the_knob_means_he_and_keeps_its_key() -> None:
    full = completed("he")
    before = {k: v for k, v in full.net.knobs.items() if k != "start"}
    old = full.model_copy(update={"net": Choice(name="mlp", knobs=before)})
    assert complete_spec(old, find_card, "cpu") == full
    assert run_key(old, find_card) == run_key(full, find_card)
    assert run_key(completed("torch_default"), find_card) != run_key(full, find_card)


def test_a_spec_that_names_some_knobs_only_is_no_old_one() -> None:
    card = find_card("net", "mlp")
    newer = card.model_copy(
        update={
            "knobs": tuple(
                k.model_copy(update={"default": "glorot"}) if k.before else k
                for k in card.knobs
            )
        }
    )
    assert complete_knobs(newer, {"depth": 2})["start"] == "glorot"
    assert complete_knobs(newer, {})["start"] == "glorot"

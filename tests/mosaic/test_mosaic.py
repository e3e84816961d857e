"""Mosaic: what is shipped, how it was trained, and that building it can be broken."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.__main__ import main
from engine.data.sources.mosaic import FILE, load_mosaic, mosaic_metadata, read_mosaic
from engine.data.sources.mosaic_report import related_correlations, task_spreads
from engine.data.sources.mosaic_space import (
    FAILED,
    RECIPES,
    NetDesign,
    all_codes,
    all_net_designs,
)
from engine.device import fingerprint
from engine.mosaic import build
from engine.mosaic.nets import forward, gradient, views
from engine.mosaic.tasks import MosaicTask, group_tasks
from engine.mosaic.training import (
    Regime,
    draw_initial_weights,
    draw_minibatches,
    train_form,
)
from tests.mosaic.mosaic_bound import CHUNKS, FOUND, changed, shipped
from tests.same_machine import same_machine

ROOT = Path(__file__).parents[2]
SHORT = Regime(fidelities=(5, 20), seeds=2)
BOUND = json.loads(FOUND.read_text())
BRIEF = build.BuildPlan(Regime(fidelities=(2, 4)), chunks=(0, 1, 24), groups=(5,))
KINDS = [form for form in all_net_designs() if form.depth == 2 and form.width == 4]
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "adam": torch.optim.Adam,
}
FIRE = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}


def test_the_shipped_table_is_a_full_product_without_holes() -> None:
    table = load_mosaic()
    assert 2_000 <= table.count == np.prod(table.radix) <= 5_000
    np.testing.assert_array_equal(table.rows, np.arange(table.count))
    tasks, fidelities = len(table.tasks), len(table.fidelities)
    assert tasks >= 10 and fidelities >= 4
    assert table.signal.shape == (table.count, tasks, fidelities, 3)
    assert table.score.shape == (table.count, tasks)
    for shares in (table.signal, table.score):
        assert np.isfinite(shares).all() and (shares >= 0).all() and (shares <= 1).all()


def test_the_shipped_file_is_small_and_holds_no_pickle() -> None:
    assert FILE.stat().st_size <= 6_000_000
    with np.load(FILE, allow_pickle=False) as held:
        assert {held[name].dtype.kind for name in held.files} <= set("ufU")


def test_architectures_differ_three_times_more_than_seeds_on_every_task() -> None:
    assert [row for row in task_spreads(load_mosaic()) if row.ratio < 3] == []


def test_ranks_carry_over_better_between_related_tasks() -> None:
    related, unrelated = related_correlations(load_mosaic())
    assert related > unrelated + 0.2


def test_longer_training_costs_more_and_a_wider_net_too() -> None:
    table = load_mosaic()
    assert (np.diff(table.cost, axis=2) > 0).all()
    width = table.positions.index("width")
    cost = table.cost[:, 0, -1].reshape(table.radix)
    assert (np.diff(cost, axis=width) > 0).all()
    # One hidden layer of 4 on 2 inputs and 2 classes: 16 products, forward and twice
    # back, for 300 minibatches of 32.
    assert table.cost[0, 0, -1] == pytest.approx(16 * 3 * 300 * 32 / 1e6)
    assert table.properties["parameters"][0, 0] == 4 * 2 + 4 + 2 * 4 + 2


def test_loading_needs_no_torch() -> None:
    words = (
        "import sys; from engine.data.sources.mosaic import load_mosaic; "
        "load_mosaic(); "
    )
    words += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("number", CHUNKS)
def test_a_chunk_trained_again_is_the_shipped_one(number: int) -> None:
    found = changed(build.train_chunk(number), number)
    exact = same_machine(fingerprint("cpu"), mosaic_metadata()["fingerprint"])
    for name, count in found.items():
        assert count <= (0 if exact else BOUND[str(number)][name])


@pytest.mark.parametrize("number", CHUNKS)
def test_rounding_changes_far_fewer_counts_than_another_seed(number: int) -> None:
    for name, counts in shipped(number).items():
        by_seed = (counts != np.roll(counts, 1, axis=-1)).sum()
        assert BOUND[str(number)][name] < by_seed / 2


@pytest.mark.parametrize("form", KINDS, ids=str)
def test_the_gradient_by_hand_is_that_of_autograd(form: NetDesign) -> None:
    draw = torch.Generator().manual_seed(0)
    size = (2, form.parameter_count(3, 4))
    flat = torch.randn(size, generator=draw, dtype=torch.float64).requires_grad_()
    x = torch.randn((2, 3, 7), generator=draw, dtype=torch.float64)
    y = torch.randint(0, 4, (2, 7), generator=draw)
    weights = views(flat, form, 3, 4)
    loss = F.cross_entropy(forward(weights, x, form)[0], y, reduction="none")
    (truth,) = torch.autograd.grad(loss.mean(1).sum(), flat)
    torch.testing.assert_close(gradient(weights, x, y, form), truth)


@pytest.mark.parametrize("recipe", [("sgd", "0.1"), *RECIPES[4::3]], ids="-".join)
@pytest.mark.parametrize(
    "form",
    [
        NetDesign(1, 4, "relu", "none", True),
        NetDesign(2, 8, "tanh", "layer", False),
        NetDesign(2, 8, "sigmoid", "batch", True),
    ],
    ids=str,
)
def test_a_net_among_many_is_as_one_that_plain_torch_trains(
    form: NetDesign, recipe: tuple[str, str]
) -> None:
    tasks = group_tasks(1)
    many = train_form(form, tasks, SHORT, dtype=torch.float64)
    place, task, seed = RECIPES.index(recipe), 1, 1
    weights = _trained_alone(form, recipe, tasks[task], seed)
    for part, counts in (
        ("validation", many.validation[place, task, -1, seed]),
        ("test", many.test[place, task, seed]),
    ):
        known, x = (_tensor(tasks[task].x[name]) for name in ("train", part))
        with torch.no_grad():
            right = _plain(weights, form, known, x).argmax(1).numpy()
        assert (right == tasks[task].y[part]).sum() == counts


def _trained_alone(
    form: NetDesign, recipe: tuple[str, str], task: MosaicTask, seed: int
) -> dict[str, Tensor]:
    """Train one net with torch.optim, row first, by autograd."""
    flat = torch.from_numpy(draw_initial_weights(form, [task], SHORT)[seed : seed + 1])
    each = views(flat, form, task.features, task.classes)
    weights = {name: w[0].clone().requires_grad_() for name, w in each.items()}
    optimizer = OPTIMIZERS[recipe[0]](weights.values(), lr=float(recipe[1]))
    x, y = _tensor(task.x["train"]), torch.from_numpy(task.y["train"])
    for rows in draw_minibatches([task], SHORT)[0, seed]:
        optimizer.zero_grad()
        F.cross_entropy(_plain(weights, form, x[:0], x[rows]), y[rows]).backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 4.0)
        optimizer.step()
    return weights


def _plain(
    weights: dict[str, Tensor], form: NetDesign, known: Tensor, x: Tensor
) -> Tensor:
    """Answer row first, by torch's own layers; a batch's statistics are of `known`."""
    seen, count = torch.cat([known, x]), len(known)
    for i in range(form.depth):
        sums = seen @ weights[f"w{i}"].T
        if form.normalization == "layer":
            sums = F.layer_norm(sums, sums.shape[1:])
        if form.normalization == "batch":
            some = sums[:count]
            kept = (some.mean(0), some.var(0, correction=0)) if count else (None, None)
            sums = F.batch_norm(sums, *kept, training=not count)
        fired = FIRE[form.activation](sums + weights[f"b{i}"])
        if form.residual:
            fired = fired + (seen if i else seen @ weights["past"].T)
        seen = fired
    return seen[count:] @ weights[f"w{form.depth}"].T + weights[f"b{form.depth}"]


def _tensor(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows).double()


def test_fewer_seeds_tasks_or_steps_leave_the_rest_as_it_is() -> None:
    tasks, form = group_tasks(1), NetDesign(1, 4, "relu", "none", False)
    many = train_form(form, tasks, SHORT, dtype=torch.float64).validation
    one = Regime(fidelities=(5,), seeds=1)
    few = train_form(form, tasks[2:3], one, RECIPES[2:3], torch.float64).validation
    np.testing.assert_array_equal(few, many[2:3, 2:3, :1, :1])


def test_a_training_without_finite_answers_is_marked_as_failed(tmp_path: Path) -> None:
    form, wild = NetDesign(1, 4, "relu", "none", False), [("sgd", "1e39")]
    counts = train_form(form, group_tasks(5), Regime((2, 4)), wild)
    assert (counts.test == FAILED).all()


def test_no_row_is_in_pairs_of_two_parts() -> None:
    (task,) = group_tasks(6)
    own = [{row.tobytes() for row in rows[:, :13]} for rows in task.x.values()]
    assert not own[0] & own[1] | own[0] & own[2] | own[1] & own[2]


def test_after_a_kill_only_the_rest_is_trained_and_the_table_is_the_same(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mosaic.npz"
    killed = subprocess.run([sys.executable, "-m", __name__, str(file)], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert not file.exists() and len(list(tmp_path.glob("*.chunks/*.npz"))) == 1
    with ThreadPoolExecutor(1) as pool:
        assert build.build(file, BRIEF, pool=pool, most=1) == 1
        assert not file.exists()
        assert build.build(file, BRIEF, pool=pool) == 0
    assert list(tmp_path.iterdir()) == [file]
    parts = [build.train_chunk(number, BRIEF) for number in BRIEF.chunks]
    with np.load(file) as held:
        for name in ("validation", "test"):
            unbroken = np.concatenate([part[name] for part in parts])
            np.testing.assert_array_equal(held[name], unbroken)
    some = [number * len(RECIPES) for number in BRIEF.chunks]
    np.testing.assert_array_equal(
        read_mosaic(file).codes[:: len(RECIPES)], all_codes()[some]
    )


def test_the_report_prints_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "report", "mosaic"]) == 0
    printed = capsys.readouterr().out
    assert [task for task in load_mosaic().tasks if task not in printed] == []
    assert main(["data", "report", "nothing"]) == 2
    assert "must be one of: mosaic" in capsys.readouterr().err


def _die(line: str) -> None:
    """End at once and without a word, as on a loss of power."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    torch.set_num_threads(1)
    build.build(Path(sys.argv[1]), BRIEF, pool=ThreadPoolExecutor(1), report=_die)

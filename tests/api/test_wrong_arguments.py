"""What a newcomer gets wrong in a notebook is told in one sentence with the remedy."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import metascope as ms
from engine.store import Store


def weight() -> nn.Parameter:
    return nn.Parameter(torch.ones(3))


def step(frozen: ms.Result, loss: object, *, backward: bool = True) -> object:
    w = weight()
    optimizer = frozen.learners["lr_scale"].optimizer([w])
    if backward:
        w.square().sum().backward()
    return optimizer.step(loss)  # type: ignore[arg-type]


# What is typed, and a piece of what is told.
OF_A_RESULT: dict[str, Callable[[ms.Result], object]] = {
    r"/etc/hostname is a file; save writes a folder": lambda r: r.save("/etc/hostname"),
    r"not \.csv: x\.csv; .*metrics\.to_csv": lambda r: r.save("x.csv"),
    r"there is no folder no/such; create it": lambda r: r.report("no/such/x.html"),
    r"x\.zip must end in \.html": lambda r: r.report("x.zip"),
    r"it is a folder; give the name of a file": lambda r: r.report("."),
    r"path must be a path in text, .* not 3": lambda r: r.save(3),  # type: ignore[arg-type]
    r"params are .*, not Linear": lambda r: r.learners["lr_scale"].optimizer(
        nn.Linear(2, 1)
    ),
    r"params are .*, not an empty list": lambda r: r.learners["lr_scale"].optimizer([]),
    r"params are .*, not Sequential": lambda r: r.learners["lr_scale"].optimizer(
        nn.Sequential(nn.Linear(2, 1))
    ),
    r"params are .*, not a list with a Linear": lambda r: r.learners[
        "lr_scale"
    ].optimizer([nn.Linear(2, 1)]),  # type: ignore[list-item]
    r"params are .*, not a list with a str": lambda r: r.learners["lr_scale"].optimizer(
        "ab"  # type: ignore[arg-type]
    ),
    r"\['a'\] is no learner of this run": lambda r: r.learners[["a"]],  # type: ignore[index]
    r"lr must be a number above 0, not 'a'": lambda r: r.learners["lr_scale"].optimizer(
        [weight()],
        lr="a",
    ),
    r"replicate must be .* from 0 to 1, not 1\.0": lambda r: r.learners[
        "lr_scale"
    ].tensors(1.0),
    r"the loss is one number, not of shape \(4,\)": lambda r: step(r, torch.ones(4)),
    r"the loss is one number, not 'low'": lambda r: step(r, "low"),
    r"the loss is one number, not True": lambda r: step(r, True),
    r"no figure 'los'; did you mean '\w+'\? There are: ('\w+', ){2}": lambda r: r.plot(
        "los"
    ),
    r"call loss\.backward\(\) before": lambda r: step(r, 1.0, backward=False),
}
OF_NOTHING: dict[str, Callable[[], object]] = {
    r"no 'lr_scal'; did you mean 'lr_scale'": lambda: ms.catalogue()["lr_scal"],
    r"no learner is called 3; list": lambda: ms.catalogue().learners[3],  # type: ignore[index]
    r"no learner is called \['a'\]; list": lambda: ms.catalogue().learners[["a"]],  # type: ignore[index]
    r"no preset is called \['a'\]; meta": lambda: ms.presets()[["a"]],  # type: ignore[index]
    r"^baselines is a list, such as \['sgd'\]": lambda: ms.spec(
        "smoke", baselines="sgd"
    ),
    r"^shifts is a list, such as \[\] for none": lambda: ms.spec("smoke", shifts=None),
    r"no preset is called 'smok'; did you mean 'smoke'": lambda: ms.presets()["smok"],
    r"'smok'; did you mean 'smoke'\? There are: ": lambda: ms.spec("smok"),
    r"severities are numbers, .* not \[0\.5": lambda: ms.catalogue().shifts.stretch(
        [0.5, 1.0],  # type: ignore[arg-type]
    ),
    r"role must be 'chosen' or 'baseline'": lambda: ms.catalogue().learners.maml(
        role="base",  # type: ignore[arg-type]
    ),
    r"lr_scale has it: learner=\{'lr': …\}": lambda: ms.spec("smoke", lr=0.1),
    r"the budget has it: budget=\{'horizon'": lambda: ms.spec("smoke", horizon=3),
    r"`metascope\.catalogue\(\)` .*@metascope\.register": lambda: ms.spec(
        "smoke", learner="mine"
    ),
    r"holds what JSON does": lambda: ms.spec({"family": {1}}),
    r"is the key of a run: read it with metascope\.load": lambda: ms.spec("0af3" * 4),
    r"store is .* or a folder, not False": lambda: ms.run("smoke", store=False),  # type: ignore[arg-type]
    r"store='no/such' is in no folder .* first, or choose": lambda: ms.run(
        "smoke", store="no/such"
    ),
    r"jobs must be a whole number from 0 on, not -1": lambda: ms.run("smoke", jobs=-1),
    r"seeds are a list .* not 3": lambda: ms.sweep("smoke", seeds=3),  # type: ignore[arg-type]
    r"the grid is a dictionary": lambda: ms.sweep("smoke", grid=["lr"]),  # type: ignore[arg-type]
    r"there is no folder no; create it": lambda: ms.spec("smoke").save("no/x.json"),
    r"XYZ is not there: give an archive": lambda: ms.load("XYZ"),
    r"there is no run abababababab in": lambda: ms.load("ab" * 32),
    r"3 is not a part: write @metascope\.register": lambda: ms.register(3),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("told", OF_A_RESULT)
def test_a_mistake_with_a_result_is_told_in_one_sentence(
    told: str, smoke: ms.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ms.Refused) as refused:
        OF_A_RESULT[told](smoke)
    assert re.search(told, str(refused.value)) and "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("told", OF_NOTHING)
def test_a_mistake_is_told_in_one_sentence(
    told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ms.Refused) as refused:
        OF_NOTHING[told]()
    assert re.search(told, str(refused.value)) and "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_not_there_is_not_in_a_mapping(smoke: ms.Result) -> None:
    assert "sgd" not in smoke.learners and smoke.learners.get("sgd") is None
    assert "smok" not in ms.presets() and ms.catalogue()["lr_scale"].name == "lr_scale"
    with pytest.raises(AttributeError, match=r"catalogue\(\)\.learners\.maml"):
        _ = ms.catalogue().maml
    with pytest.raises(AttributeError, match=r"spec\.full\.seed"):
        _ = ms.spec("smoke").seed


def test_another_run_is_replaced_only_when_asked(
    smoke: ms.Result, episodes: ms.Result, tmp_path: Path
) -> None:
    smoke.save(tmp_path / "one")
    with pytest.raises(ms.Refused, match="pass replace=True to replace it"):
        episodes.save(tmp_path / "one")
    assert ms.load(episodes.save(tmp_path / "one", replace=True)).key == episodes.key
    (tmp_path / "two.zip").write_bytes(b"mine")
    with pytest.raises(ms.Refused, match="pass replace=True"):
        smoke.save(tmp_path / "two.zip")


def test_a_run_is_loaded_by_its_key_once_it_has_ended(tmp_path: Path) -> None:
    wanted = ms.spec("smoke", replicates=1)
    store = Store.open(tmp_path)
    store.submit(wanted.full, wanted.key)
    with pytest.raises(ms.Refused, match=r"is queued, 0% done: wait for it"):
        ms.load(wanted.key, store=tmp_path)
    store.cancel(wanted.key)
    with pytest.raises(ms.Refused, match=r"as it is cancelled"):
        ms.load(wanted.key[:8], store=tmp_path)
    result = ms.run(wanted, store=tmp_path, progress=False)
    again = ms.load(wanted.key[:8], store=tmp_path)
    assert again.key == result.key and again.metrics.equals(result.metrics)
    assert ms.spec(again).key == result.key

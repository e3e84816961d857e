"""new writes a working part and a test to complete; a refusal writes nothing."""

import ast
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine import __main__
from engine.catalogue import discover_parts
from engine.cli import new, part_report, scaffold
from engine.contract.cards import Card, card_of
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS
from engine.contract.parts import Part
from engine.contract.registration import SLOTS
from engine.contract.registry import parts
from tests.golden.rows import recorded

discover_parts()
ALL = parts()
ROOMS = (scaffold.ROOT / "engine", scaffold.ROOT / "tests")
REFUSED = {
    "lerner my_maml --like maml": "there is no slot 'lerner'; the slots are net",
    "learner MyMaml --like maml": "'MyMaml' is not a valid part name",
    "learner my__maml --like maml": "single underscores",
    "learner ../my_maml --like maml": "is not a valid part name",
    "learner fomaml --like maml": "the learner 'fomaml' already exists, in engine",
    "net dense --like mlp": "the net 'dense' already exists, in engine/nets/dense.py",
    "learner lambda --like maml": "'lambda' is a Python keyword",
    "learner match --like maml": "'match' is a Python keyword",
    "learner outer --like maml": "would be called Outer, which maml.py uses",
    "learner my_maml --like mamml": "did you mean 'maml'",
    "learner my_maml": "add --like with the learner to copy",
    "learner my_maml --like maml --folder grad": "--folder must be one of baseline",
    "family my_moons --like moons --folder search": "must be one of optimization",
    "shift my_push --like stretch --folder few_shot": "--folder must be left out",
}


CASES = [("learner", kind) for kind in KINDS]
CASES += [("family", "data")]
CASES += [(slot, "") for slot in SLOTS if slot != "learner"]
# Cheap parts that stand in for a new part of each variant.
TRIED = {
    ("learner", "few_shot"): "maml",
    ("learner", "optimization"): "sgd",
    ("learner", "rl"): "random_actions",
    ("learner", "search"): "random_search",
    ("family", "data"): "sinusoids",
    ("family", ""): "nk_landscape",
    ("shift", ""): "feature_noise",
    ("net", ""): "mlp",
    ("estimator", ""): "pes",
    ("outer", ""): "sgd",
}


def files() -> set[Path]:
    """Return every file of the tree that a part or a test could be."""
    return {path for room in ROOMS for path in room.rglob("*.py")}


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a test register what it likes; it is forgotten afterwards."""
    monkeypatch.setattr("engine.contract.registry._PARTS", {})
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("newcomer"):
            del sys.modules[name]


def copied(template: type[Part], folder: Path) -> Card:
    """Write, import and describe a copy of a part."""
    room = Path(inspect.getfile(template)).parent.name
    path = folder / "my_part.py"
    path.write_text(scaffold.part_source(template, "my_part"), "utf-8")
    spec = importlib.util.spec_from_file_location(f"newcomer.{room}.my_part", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    (found,) = parts()
    return card_of(found)


@pytest.mark.parametrize("words", REFUSED)
def test_a_refusal_says_what_is_allowed_and_writes_nothing(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files()
    assert __main__.main(["new", *words.split()]) == 2
    assert REFUSED[words] in " ".join(capsys.readouterr().err.split())
    assert files() == before


def test_an_installation_that_is_read_only_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scaffold.os, "access", lambda *_: False)
    before = files()
    assert __main__.main(["new", "learner", "my_maml", "--like", "maml"]) == 2
    assert "gradient is read-only; work in a writable clone" in capsys.readouterr().err
    assert files() == before


def test_a_dry_run_names_the_files_and_writes_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = files()
    assert (
        __main__.main(["new", "shift", "my_push", "--like", "stretch", "--dry-run"])
        == 0
    )
    told = capsys.readouterr().out
    assert "engine/shifts/my_push.py" in told
    assert "tests/shifts/test_my_push.py" in told
    assert f"would change {new.GOLDEN_ROWS}" in told
    assert files() == before


@pytest.mark.parametrize("template", ALL, ids=lambda p: f"{p.slot}-{p.name}")
def test_a_copy_of_any_part_registers_and_has_placeholders(
    template: type[Part], blank: None, tmp_path: Path
) -> None:
    old, card = card_of(template), copied(template, tmp_path)
    assert (card.slot, card.name, card.version) == (old.slot, "my_part", 1)
    assert (card.knobs, card.solves, card.traits) == (old.knobs, old.solves, old.traits)
    assert card.hue == ""
    line = part_report.docstring_line(card)
    assert not line.fine
    assert "summary; Source:; Differs:; Helps:" in line.message


def test_a_dry_run_names_the_golden_rows_only_for_slots_that_have_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert {name.partition("/")[0] for name in recorded()[1]} == {*new.GOLDEN_SLOTS}
    assert __main__.main(["new", "net", "my_net", "--like", "mlp", "--dry-run"]) == 0
    assert "rows.json" not in capsys.readouterr().out


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    there = tmp_path / "there.py"
    there.write_text("mine")
    with pytest.raises(Refused, match=r"there.py: File exists"):
        new.write_files({tmp_path / "first.py": "1", there: "2"})
    assert there.read_text() == "mine"
    assert not (tmp_path / "first.py").exists()
    new.write_files({tmp_path / "tests" / "first.py": "α"})
    assert (tmp_path / "tests" / "first.py").read_text("utf-8") == "α"


def test_each_slot_has_a_test_to_be_filled() -> None:
    assert {path.stem for path in scaffold.TESTS.glob("*.txt")} == {
        "_".join(filter(None, case)) for case in CASES
    }


@pytest.mark.parametrize(("slot", "kind"), CASES)
def test_the_test_of_a_new_part_is_a_program_that_fails(slot: str, kind: str) -> None:
    text = scaffold.source_of_test(slot, "my_part", kind)
    assert part_report._TO_WRITE.search(text)
    names = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert sum(name.startswith("test_my_part_") for name in names) == 1
    assert "$" not in text
    assert max(map(len, text.splitlines())) <= 88


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_test_of_a_new_part_reaches_what_is_to_be_written(
    case: tuple[str, str],
) -> None:
    slot, kind = case
    held: dict[str, object] = {}
    exec(scaffold.source_of_test(slot, TRIED[case], kind), held)
    (test,) = (found for each, found in held.items() if each.startswith("test_"))
    with pytest.raises(pytest.fail.Exception, match="write by_hand"):
        test()  # type: ignore[operator]
    held["by_hand"] = lambda *_: torch.full((1,), torch.nan)
    with pytest.raises(AssertionError):
        test()  # type: ignore[operator]


def test_every_part_can_be_a_template_and_has_a_test_template() -> None:
    variants = {(part.slot, scaffold.variant_of_test(part)) for part in ALL}
    assert variants == set(CASES)


def test_the_test_of_a_new_part_passes_once_its_truth_is_written() -> None:
    held: dict[str, object] = {}
    exec(scaffold.source_of_test("outer", "sgd", ""), held)
    test = held["test_sgd_moves_as_its_equation_says"]
    with pytest.raises(pytest.fail.Exception, match="write by_hand"):
        test()  # type: ignore[operator]

    def by_hand(start: Tensor, gradients: Tensor) -> Tensor:
        return start - 0.1 * torch.cumsum(gradients, 0)

    held["by_hand"] = by_hand
    test()  # type: ignore[operator]
    held["by_hand"] = lambda start, gradients: start - torch.cumsum(gradients, 0)
    with pytest.raises(AssertionError):
        test()  # type: ignore[operator]

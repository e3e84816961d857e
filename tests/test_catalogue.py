"""The catalogue says all that a page needs, and the presets are worth their names."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from engine.catalogue import catalogue, find_card
from engine.contract.cards import Card, complete_knobs
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS
from engine.contract.parsing import parse_spec
from engine.contract.registry import parts
from engine.contract.run_keys import run_key
from engine.contract.run_spec import Choice, LearnerChoice, RunSpec, complete_spec
from engine.device import devices, resolve_device
from engine.executors.in_process import settle_spec
from engine.presets import PRESETS, Preset, preset, spec_as_json

NAMES = [each.name for each in PRESETS]
# Keys as 0.3.0 and what followed filed them, with the versions that they stand on.
KEYS = json.loads((Path(__file__).parent / "fixtures/preset-keys.json").read_text())


def lacking(each: Preset) -> str:
    """Return the file that a preset's family needs and that is not here."""
    return find_card("family", each.spec.family.name).missing


HERE = [
    pytest.param(
        each,
        id=each.name,
        marks=[
            pytest.mark.pack,
            pytest.mark.skip(f"needs {lacking(each)}; set METASCOPE_DATA"),
        ]
        if lacking(each)
        else [],
    )
    for each in PRESETS
]


@cache
def keys_of_another_process() -> dict[str, str]:
    program = (
        "import json; from engine.catalogue import find_card;"
        "from engine.contract.run_keys import run_key;"
        "from engine.executors.in_process import settle_spec;"
        "from engine.presets import PRESETS;"
        "print(json.dumps({p.name: run_key(settle_spec(p.spec, 'cpu'), find_card)"
        " for p in PRESETS if not find_card('family', p.spec.family.name).missing}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_the_catalogue_is_json_that_reads_back_as_cards_and_specs() -> None:
    known = json.loads(json.dumps(catalogue()))
    found = [Card.model_validate(card) for card in known["cards"]]
    assert {(c.slot, c.name) for c in found} == {(p.slot, p.name) for p in parts()}
    specs = {p["name"]: RunSpec.model_validate(p["spec"]) for p in known["presets"]}
    assert specs == {p.name: p.spec for p in PRESETS}
    assert known["devices"][-1] == "cpu"
    assert known["engine"]["versions"]["torch"]


def test_every_slot_of_a_spec_has_a_part() -> None:
    slots = {card["slot"] for card in catalogue()["cards"]}
    assert slots == {"family", "net", "shift", "learner", "estimator", "outer"}


def test_an_unknown_part_is_refused_with_what_there_is() -> None:
    with pytest.raises(Refused, match="no outer is called 'lion'; there are: adam"):
        find_card("outer", "lion")


def test_no_two_presets_have_one_name_and_each_kind_has_its_default() -> None:
    assert len(set(NAMES)) == len(NAMES)
    kinds = [find_card("family", p.spec.family.name).traits["kind"] for p in PRESETS]
    first = {kind: NAMES[kinds.index(kind)] for kind in dict.fromkeys(kinds)}
    assert first == {kind.name: kind.preset for kind in KINDS.values()}


@pytest.mark.parametrize("each", HERE)
def test_a_preset_can_be_run_here_and_says_what_it_shows(each: Preset) -> None:
    full = settle_spec(each.spec, "cpu")
    assert complete_spec(full, find_card, "cpu") == full
    assert each.title
    assert each.summary[-1] in ".?"
    assert any(choice.role == "baseline" for choice in full.learners)
    assert all(choice.severities for choice in full.shifts)


@pytest.mark.parametrize("each", HERE)
def test_a_preset_has_the_same_key_in_another_process(each: Preset) -> None:
    here = run_key(settle_spec(each.spec, "cpu"), find_card)
    assert keys_of_another_process()[each.name] == here


@pytest.mark.parametrize("each", PRESETS, ids=NAMES)
def test_a_preset_printed_and_read_again_is_the_same_run(each: Preset) -> None:
    assert parse_spec(json.dumps(spec_as_json(each.spec))) == each.spec


@pytest.mark.parametrize("each", PRESETS, ids=NAMES)
def test_a_preset_sets_no_knob_to_its_default(each: Preset) -> None:
    said: list[tuple[str, Choice]] = [("family", each.spec.family)]
    said += [("family", choice) for choice in each.spec.test_families]
    said += [("net", each.spec.net), ("estimator", each.spec.estimator)]
    said += [("learner", choice) for choice in each.spec.learners]
    for slot, choice in said:
        plain = complete_knobs(find_card(slot, choice.name), {})
        idle = [name for name, value in choice.knobs.items() if plain[name] == value]
        assert not idle, (choice.name, idle)


def test_the_default_experiment_compares_with_tuned_baselines() -> None:
    learners = preset("default").spec.learners
    tuned = {c.label for c in learners if c.knobs.get("tuning") == "tuned"}
    assert tuned == {"sgd_tuned", "adam_tuned"}
    assert LearnerChoice(name="sgd", label="sgd", role="baseline") in learners


def test_auto_is_the_first_device_and_one_that_is_not_here_is_refused() -> None:
    assert resolve_device("auto") == devices()[0]
    assert resolve_device("cpu") == "cpu"
    gone = {"cuda", "mps"} - set(devices())
    assert gone, "this machine has every kind of device"
    for name in gone:
        with pytest.raises(Refused, match=f"device '{name}' is not available"):
            resolve_device(name)


@pytest.mark.parametrize("each", PRESETS, ids=NAMES)
def test_a_presets_key_changes_only_with_a_parts_version(each: Preset) -> None:
    full = complete_spec(each.spec, find_card, "cpu")
    known = KEYS[each.name]
    now = {name: find_card(*name.split("/")).version for name in known["versions"]}
    if now == known["versions"]:
        assert run_key(full, find_card) == known["key"]
    else:
        assert run_key(full, find_card) != known["key"]

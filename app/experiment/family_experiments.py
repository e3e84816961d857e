"""What suits a family of environments: baselines and budget of its own experiments.

The strategies of a bandit cannot play a gridworld, and ten episodes are few or many. So
where the user left the baselines, or a field of the budget, as an experiment of the
previous family had them, they become those of an experiment of the new one. So does the
rival of the primary question.
"""

from collections.abc import Mapping
from typing import Any

from app.client.catalogue import Catalogue, Preset
from app.experiment import spec_mapping
from engine.contract.cards import Card
from engine.contract.kinds import KINDS
from engine.contract.run_spec import Budget


def bring_defaults(form: Mapping[str, Any], catalogue: Catalogue) -> spec_mapping.Form:
    """Return the baselines and the budget that change with the form's family.

    Args:
        form: Its `k.family` is the new family, its `k.suits` the previous one.
        catalogue: Holds the shipped experiments.
    """
    cards = [
        catalogue.cards.get(("family", str(form.get(key))))
        for key in ("k.suits", "k.family")
    ]
    before, after = cards
    if before is None or after is None or before.name == after.name:
        return {}
    kind = KINDS.get(str(after.traits.get("kind")))
    if kind is None or not kind.suits_family:
        return {}
    old, new = _experiments(catalogue, before), _experiments(catalogue, after)
    if not old or not new:
        return {}
    return _new_budget(form, old, new[0]) | _new_baselines(form, old, new[0], after)


def _experiments(catalogue: Catalogue, family: Card) -> list[Preset]:
    """Return the shipped experiments on a family; else on those most like it."""
    cards = [
        (preset, catalogue.card("family", preset.spec.family.name))
        for preset in catalogue.presets
    ]
    own = [preset for preset, card in cards if card.name == family.name]
    traits = ("kind", "output")
    return own or [
        preset
        for preset, card in cards
        if all(card.traits.get(t) == family.traits.get(t) for t in traits)
    ]


def _new_budget(
    form: Mapping[str, Any], old: list[Preset], new: Preset
) -> spec_mapping.Form:
    """Return the fields of the budget that the user had left alone."""
    return {
        f"k.budget.{name}": getattr(new.spec.budget, name)
        for name in Budget.model_fields
        if form.get(f"k.budget.{name}")
        in [getattr(preset.spec.budget, name) for preset in old]
    }


def _new_baselines(
    form: Mapping[str, Any], old: list[Preset], new: Preset, family: Card
) -> spec_mapping.Form:
    """Return the new baselines and rival, if the user had left the old ones alone."""
    held = set(form.get("k.baselines") or ())
    # Those of an experiment on a family that is only alike may not play here.
    if new.spec.family.name != family.name or held not in map(_baselines, old):
        return {}
    loaded = spec_mapping.spec_to_form(new.spec)
    # What was chosen to be judged stays so.
    chosen = form.get("k.chosen") or ()
    brought = [label for label in loaded["k.baselines"] if label not in chosen]
    places = tuple(f"k.learner.{label}." for label in brought)
    knobs = {key: value for key, value in loaded.items() if key.startswith(places)}
    parts = {label: loaded["k.parts"][label] for label in brought}
    changed = knobs | {
        "k.baselines": brought,
        "k.parts": form.get("k.parts", {}) | parts,
    }
    if form.get("k.rival", "") in [preset.spec.rival for preset in old]:
        changed["k.rival"] = loaded["k.rival"]
    return changed


def _baselines(preset: Preset) -> set[str]:
    return {each.label for each in preset.spec.learners if each.role == "baseline"}

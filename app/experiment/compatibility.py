"""Compatibility of parts: which learners, nets and shifts fit a task family.

A part fits if it solves the family's kind. A learner must also give the type of answers
that the family needs, and a net for images needs a family of images.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.client.catalogue import Catalogue, Preset
from app.experiment import family_experiments, spec_mapping
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS
from engine.contract.run_spec import RunSpec


def presets_of_kind(catalogue: Catalogue, kind: str) -> list[Preset]:
    """Return the shipped experiments of a kind, its default first."""
    return [
        p for p in catalogue.presets if catalogue.kind_of(p.spec.family.name) == kind
    ]


def available_kinds(catalogue: Catalogue) -> list[str]:
    """Return the kinds of task that have families."""
    return [kind for kind in KINDS if cards_of_kind(catalogue, "family", kind)]


def cards_of_kind(catalogue: Catalogue, slot: str, kind: str) -> list[Card]:
    """Return the cards of a slot that solve a kind, and that the form may offer."""
    return [
        card
        for card in catalogue.cards_of(slot)
        if kind in card.solves and not card.traits.get("own_code")
    ]


def can_compile(catalogue: Catalogue, kind: str) -> bool:
    """Return whether a learner of a kind can be compiled."""
    cards = cards_of_kind(catalogue, "learner", kind)
    return any(card.traits.get("compiles") for card in cards)


def has_images(catalogue: Catalogue, family: Card) -> bool:
    """Return whether a family's examples are images, judged by its default net."""
    usual = catalogue.cards.get(("net", str(family.traits.get("net", ""))))
    return bool(family.traits.get("images") or (usual and usual.traits.get("images")))


def fits(catalogue: Catalogue, card: Card, family: Card) -> bool:
    """Return whether a learner or a net fits a family."""
    if family.traits.get("kind") not in card.solves:
        return False
    output = family.traits.get("output", "none")
    if card.slot == "learner" and output != "none":
        return output in card.traits.get("answers", (output,))
    return not card.traits.get("images") or has_images(catalogue, family)


def can_transfer(catalogue: Catalogue, one: Card, other: Card) -> bool:
    """Return whether what was learned on one family can run on another.

    An optimizer's weights do not depend on a task's shape; a few-shot learner's net
    is built for its type of inputs and of answers.
    """
    kind = KINDS.get(str(one.traits.get("kind")))
    if kind is None or not kind.fixed_examples:
        return True
    same = one.traits.get("output") == other.traits.get("output")
    return same and has_images(catalogue, one) == has_images(catalogue, other)


def fitting_cards(catalogue: Catalogue, slot: str, family: str) -> Iterator[Card]:
    """Yield the learners or nets that fit a family."""
    beside = catalogue.card("family", family)
    return (card for card in catalogue.cards_of(slot) if fits(catalogue, card, beside))


def refit_form(form: Mapping[str, Any], catalogue: Catalogue) -> spec_mapping.Form:
    """Return the fields that must change after the form's family changed.

    The net becomes the family's default if the present one does not fit or was the
    previous default. Learners that do not fit are removed; if no chosen one is left,
    the learner of the kind's first fitting experiment replaces them.
    """
    before, after = form.get("k.suits"), str(form.get("k.family"))
    if before == after or ("family", after) not in catalogue.cards:
        return {}
    family = catalogue.card("family", after)
    changed: spec_mapping.Form = {}
    net, usual = str(form.get("k.net")), usual_net(catalogue, family)
    if net != usual and _must_replace_net(catalogue, net, family, str(before)):
        changed["k.net"] = usual
    for place in ("k.chosen", "k.baselines"):
        held = list(form.get(place) or ())
        kept = [label for label in held if _label_fits(form, catalogue, label, family)]
        if kept != held:
            changed[place] = kept
    if not changed.get("k.chosen", form.get("k.chosen")):
        changed["k.chosen"] = default_learners(catalogue, family)
    chosen = {"k.chosen": changed.get("k.chosen", form.get("k.chosen"))}
    return changed | family_experiments.bring_defaults({**form, **chosen}, catalogue)


def needs_net(form: Mapping[str, Any], catalogue: Catalogue) -> bool:
    """Return whether the run's net matters to the family and to any learner."""
    family = catalogue.cards.get(("family", str(form.get("k.family"))))
    if family is not None and not family.traits.get("uses_net", True):
        return False
    names = (
        spec_mapping.part_name(form, label)
        for label in spec_mapping.selected_labels(form)
    )
    cards = [catalogue.cards.get(("learner", name)) for name in names]
    # Nothing chosen yet, or a link's unknown learner: it may need one.
    return not cards or any(c is None or c.traits.get("uses_net", True) for c in cards)


def _must_replace_net(
    catalogue: Catalogue, net: str, family: Card, before: str
) -> bool:
    """Return whether a net does not fit, or was only the previous default."""
    card, old = (
        catalogue.cards.get(("net", net)),
        catalogue.cards.get(("family", before)),
    )
    if card is None or not fits(catalogue, card, family):
        return True
    return old is not None and old.traits.get("net") == net


def usual_net(catalogue: Catalogue, family: Card) -> str:
    """Return the family's default net, or the first that fits."""
    usual = catalogue.cards.get(("net", str(family.traits.get("net", ""))))
    if usual is not None and fits(catalogue, usual, family):
        return usual.name
    found = [card.name for card in fitting_cards(catalogue, "net", family.name)]
    return found[0] if found else str(family.traits.get("net", "mlp"))


def _label_fits(
    form: Mapping[str, Any], catalogue: Catalogue, label: str, family: Card
) -> bool:
    try:
        card = catalogue.card("learner", spec_mapping.part_name(form, label))
    except Refused:
        return (
            True  # a link's unknown learner is rejected by name, not dropped silently
        )
    return fits(catalogue, card, family)


def default_learners(catalogue: Catalogue, family: Card) -> list[str]:
    """Return the first fitting chosen learner of the kind's shipped experiments."""
    cards = (
        catalogue.card("learner", entry.name)
        for preset in presets_of_kind(catalogue, str(family.traits.get("kind")))
        for entry in preset.spec.learners
        if entry.role == "chosen"
    )
    found = next((card.name for card in cards if fits(catalogue, card, family)), None)
    return [found] if found else _any_trained_learner(catalogue, family)


def _any_trained_learner(catalogue: Catalogue, family: Card) -> list[str]:
    offered = (c for c in fitting_cards(catalogue, "learner", family.name))
    trained = [card.name for card in offered if card.group != "baseline"]
    return trained[:1]


def is_tunable(card: Card) -> bool:
    """Return whether a learner has optional tuning that is off by default."""
    knob = next((knob for knob in card.knobs if knob.name == "tuning"), None)
    return bool(card.traits.get("tunable") and knob and knob.default == "given")


def describe_misfit(catalogue: Catalogue, spec: RunSpec) -> str:
    """Return which learner or net does not fit the family; empty if all fit."""
    family = catalogue.card("family", spec.family.name)
    for entry in spec.learners:
        if not fits(catalogue, catalogue.card("learner", entry.name), family):
            title = catalogue.card("learner", entry.name).title
            return f"{title} does not fit {family.title}: choose another learner."
    net = catalogue.card("net", spec.net.name)
    if family.traits.get("uses_net", True) and not fits(catalogue, net, family):
        return f"{net.title} does not fit {family.title}: choose another net."
    return ""

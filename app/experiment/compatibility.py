"""What goes together: which parts are offered beside a family, and what must go.

A part fits when it solves the family's kind; a learner must also give the kind of
answers that the family asks for, and a net that takes pixels only needs pixels.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.client.catalogue import Catalogue, Preset
from app.experiment import spec_mapping
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS
from engine.contract.runs import RunSpec


def presets(known: Catalogue, kind: str) -> list[Preset]:
    """Return the shipped experiments of a kind, its default first."""
    return [p for p in known.presets if known.kind_of(p.spec.family.name) == kind]


def kinds(known: Catalogue) -> list[str]:
    """Return the kinds of task that there are families of."""
    return [kind for kind in KINDS if of_kind(known, "family", kind)]


def of_kind(known: Catalogue, slot: str, kind: str) -> list[Card]:
    """Return the cards of a slot that solve a kind."""
    return [card for card in known.of(slot) if kind in card.solves]


def compiles(known: Catalogue, kind: str) -> bool:
    """Return whether a learner of a kind can be compiled."""
    cards = of_kind(known, "learner", kind)
    return any(card.traits.get("compiles") for card in cards)


def pictures(known: Catalogue, family: Card) -> bool:
    """Return whether a family's examples are pictures: its usual net says so."""
    usual = known.cards.get(("net", str(family.traits.get("net", ""))))
    return bool(family.traits.get("images") or (usual and usual.traits.get("images")))


def fits(known: Catalogue, card: Card, family: Card) -> bool:
    """Return whether a learner or a net goes with a family."""
    if family.traits.get("kind") not in card.solves:
        return False
    output = family.traits.get("output", "none")
    if card.slot == "learner" and output != "none":
        return output in card.traits.get("answers", (output,))
    return not card.traits.get("images") or pictures(known, family)


def alike(known: Catalogue, one: Card, other: Card) -> bool:
    """Return whether what was learned on a family can be tried on another one.

    An optimizer's weights know nothing of a task's shape; a few-shot learner's net
    has been built for its pictures or numbers and for its kind of answers.
    """
    kind = KINDS.get(str(one.traits.get("kind")))
    if kind is None or not kind.fixed_examples:
        return True
    same = one.traits.get("output") == other.traits.get("output")
    return same and pictures(known, one) == pictures(known, other)


def fitting(known: Catalogue, slot: str, family: str) -> Iterator[Card]:
    """Yield the learners or nets that go with a family."""
    beside = known.card("family", family)
    return (card for card in known.of(slot) if fits(known, card, beside))


def refitted(form: Mapping[str, Any], known: Catalogue) -> spec_mapping.Form:
    """Return what must change in a form whose family is another one than before.

    The net becomes the family's usual one where the present one does not fit, or was
    the usual one before, and learners that cannot answer go; where nobody chosen is
    left, the learner of the kind's first fitting experiment takes the place.
    """
    before, after = form.get("k.suits"), str(form.get("k.family"))
    if before == after or ("family", after) not in known.cards:
        return {}
    family = known.card("family", after)
    changed: spec_mapping.Form = {}
    net, usual = str(form.get("k.net")), usual_net(known, family)
    if net != usual and _leaves(known, net, family, str(before)):
        changed["k.net"] = usual
    for place in ("k.chosen", "k.baselines"):
        held = list(form.get(place) or ())
        kept = [label for label in held if _answers(form, known, label, family)]
        if kept != held:
            changed[place] = kept
    if not changed.get("k.chosen", form.get("k.chosen")):
        changed["k.chosen"] = first_learner(known, family)
    return changed


def _leaves(known: Catalogue, net: str, family: Card, before: str) -> bool:
    """Return whether a net cannot stay, or was only the usual one before."""
    card, old = known.cards.get(("net", net)), known.cards.get(("family", before))
    if card is None or not fits(known, card, family):
        return True
    return old is not None and old.traits.get("net") == net


def usual_net(known: Catalogue, family: Card) -> str:
    """Return the family's usual net, or the first that fits."""
    usual = known.cards.get(("net", str(family.traits.get("net", ""))))
    if usual is not None and fits(known, usual, family):
        return usual.name
    found = [card.name for card in fitting(known, "net", family.name)]
    return found[0] if found else str(family.traits.get("net", "mlp"))


def _answers(
    form: Mapping[str, Any], known: Catalogue, label: str, family: Card
) -> bool:
    try:
        card = known.card("learner", spec_mapping.part_of(form, label))
    except Refused:
        return True  # a link's unknown learner is refused by name, not dropped
    return fits(known, card, family)


def first_learner(known: Catalogue, family: Card) -> list[str]:
    """Return the first learner that the kind's experiments judge and that fits."""
    cards = (
        known.card("learner", entry.name)
        for preset in presets(known, str(family.traits.get("kind")))
        for entry in preset.spec.learners
        if entry.role == "chosen"
    )
    found = next((card.name for card in cards if fits(known, card, family)), None)
    return [found] if found else _any(known, family)


def _any(known: Catalogue, family: Card) -> list[str]:
    offered = (c for c in fitting(known, "learner", family.name))
    trained = [card.name for card in offered if card.group != "baseline"]
    return trained[:1]


def tunable(card: Card) -> bool:
    """Return whether tuning a learner is a choice that it does not make by itself."""
    knob = next((knob for knob in card.knobs if knob.name == "tuning"), None)
    return bool(card.traits.get("tunable") and knob and knob.default == "given")


def misfit(known: Catalogue, spec: RunSpec) -> str:
    """Say which learner or net of a spec does not go with its family, or nothing."""
    family = known.card("family", spec.family.name)
    for entry in spec.learners:
        if not fits(known, known.card("learner", entry.name), family):
            title = known.card("learner", entry.name).title
            return f"{title} cannot answer {family.title}: choose another learner."
    net = known.card("net", spec.net.name)
    if family.traits.get("uses_net", True) and not fits(known, net, family):
        return f"{net.title} does not fit {family.title}: choose another net."
    return ""

"""Which experiment shows a part: a shipped one of its kind, with the part in place."""

from collections.abc import Iterator

from app.client.catalogue import Catalogue
from app.experiment import compatibility
from engine.contract.cards import Card
from engine.contract.runs import Budget, Choice, LearnerChoice, RunSpec, ShiftChoice

SMALL = Budget(task_evaluations=4000, validation_tasks=50, validate_every=100)


def default(known: Catalogue, kind: str) -> RunSpec:
    """Return a kind's default experiment: its first preset, else one made up."""
    shipped = compatibility.presets(known, kind)
    return shipped[0].spec if shipped else _made_up(known, kind)


def _made_up(known: Catalogue, kind: str) -> RunSpec:
    """Return the first family that is here with every learner kind that fits it."""
    families = [
        c for c in compatibility.of_kind(known, "family", kind) if not c.missing
    ]
    learners = list(compatibility.fitting(known, "learner", families[0].name))
    chosen = [c for c in learners if c.group != "baseline"][:2]
    rivals = [c for c in learners if c.group == "baseline"][:3]
    entries = [LearnerChoice(name=c.name, label=c.name) for c in chosen]
    entries += [
        LearnerChoice(name=c.name, label=c.name, role="baseline") for c in rivals
    ]
    spec = RunSpec(
        family=Choice(name=families[0].name),
        learners=tuple(entries),
        net=Choice(name=compatibility.usual_net(known, families[0])),
        budget=SMALL,
    )
    return spec


def with_part(card: Card, known: Catalogue, kind: str) -> RunSpec:
    """Return an experiment with one part in its place.

    Args:
        card: The part.
        known: What can be chosen.
        kind: The kind in view; kept where the part solves it.
    """
    solved = card.solves or (kind,)
    kind = kind if kind in solved else solved[0]
    spec = _stage(card, known, kind)
    choice = Choice(name=card.name)
    if card.slot == "shift":
        severities = tuple(float(s) for s in card.traits.get("severities", ()))
        shift = ShiftChoice(name=card.name, severities=severities)
        return spec.model_copy(update={"shifts": (shift,)})
    if card.slot == "learner":
        return spec.model_copy(update={"learners": _with_learner(spec, card)})
    if card.slot == "family":
        return on_family(spec, known, card)
    return spec.model_copy(update={card.slot: choice})


def _stage(card: Card, known: Catalogue, kind: str) -> RunSpec:
    """Return the first experiment of a kind whose family goes with a part."""
    first = default(known, kind)
    if card.slot not in ("learner", "net"):
        return first
    for spec in (first, *(p.spec for p in compatibility.presets(known, kind))):
        if compatibility.fits(known, card, known.card("family", spec.family.name)):
            return spec
    for family in compatibility.of_kind(known, "family", kind):
        if compatibility.fits(known, card, family) and not family.missing:
            return on_family(first, known, family)
    return first


def on_family(spec: RunSpec, known: Catalogue, family: Card) -> RunSpec:
    """Return an experiment on another family, without what does not fit it.

    A shipped experiment of that very family comes whole.
    """
    kind = str(family.traits.get("kind"))
    for preset in compatibility.presets(known, kind):
        if preset.spec.family.name == family.name:
            return preset.spec
    return refit(spec.model_copy(update={"shifts": ()}), known, family)


def refit(spec: RunSpec, known: Catalogue, family: Card) -> RunSpec:
    """Return a spec on a family of its kind; learners that cannot answer go."""
    net = known.card("net", spec.net.name)
    kept = tuple(_answering(spec, known, family))
    if not any(entry.role == "chosen" for entry in kept):
        kept = (*_chosen(known, family), *kept)
    changed = {
        "family": Choice(name=family.name),
        "test_families": (),
        "learners": kept,
    }
    if not compatibility.fits(known, net, family) or net.name != family.traits.get(
        "net"
    ):
        changed["net"] = Choice(name=compatibility.usual_net(known, family))
    return spec.model_copy(update=changed)


def _answering(
    spec: RunSpec, known: Catalogue, family: Card
) -> Iterator[LearnerChoice]:
    for entry in spec.learners:
        if compatibility.fits(known, known.card("learner", entry.name), family):
            yield entry


def _chosen(known: Catalogue, family: Card) -> Iterator[LearnerChoice]:
    for name in compatibility.first_learner(known, family):
        yield LearnerChoice(name=name, label=name)


def _with_learner(spec: RunSpec, card: Card) -> tuple[LearnerChoice, ...]:
    baselines = [entry for entry in spec.learners if entry.role == "baseline"]
    if card.group != "baseline":
        return (LearnerChoice(name=card.name, label=card.name), *baselines)
    mine = _baseline(card)
    same = any((e.name, e.label) == (mine.name, mine.label) for e in baselines)
    return tuple(spec.learners) if same else (*spec.learners, mine)


def _baseline(card: Card) -> LearnerChoice:
    """Return a baseline, tuned where that is a choice that is not made by default."""
    if not compatibility.tunable(card):
        return LearnerChoice(name=card.name, label=card.name, role="baseline")
    return LearnerChoice(
        name=card.name,
        label=f"{card.name}_tuned",
        role="baseline",
        knobs={"tuning": "tuned"},
    )

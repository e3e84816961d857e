"""Experiments made from shipped ones: default, with a part, or on another family."""

from collections.abc import Iterator

from app.client.catalogue import Catalogue
from app.experiment import compatibility
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.effort import Effort, with_effort
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec, ShiftChoice

SMALL_BUDGET = Budget(task_evaluations=4000, validation_tasks=50, validate_every=100)


def default_experiment(catalogue: Catalogue, kind: str) -> RunSpec:
    """Return a kind's default experiment: its first preset, else a composed one."""
    shipped = compatibility.presets_of_kind(catalogue, kind)
    return shipped[0].spec if shipped else _compose_experiment(catalogue, kind)


def _compose_experiment(catalogue: Catalogue, kind: str) -> RunSpec:
    """Compose one from the first available family and the learners that fit it."""
    families = [
        c
        for c in compatibility.cards_of_kind(catalogue, "family", kind)
        if not c.missing
    ]
    learners = list(compatibility.fitting_cards(catalogue, "learner", families[0].name))
    chosen = [c for c in learners if c.group != "baseline"][:2]
    rivals = [c for c in learners if c.group == "baseline"][:3]
    entries = [LearnerChoice(name=c.name, label=c.name) for c in chosen]
    entries += [
        LearnerChoice(name=c.name, label=c.name, role="baseline") for c in rivals
    ]
    spec = RunSpec(
        family=Choice(name=families[0].name),
        learners=tuple(entries),
        net=Choice(name=compatibility.usual_net(catalogue, families[0])),
        budget=SMALL_BUDGET,
    )
    return with_effort(spec, kinds.kind_named(kind), Effort.UNTIL_DECIDED, None)


def experiment_with_part(card: Card, catalogue: Catalogue, kind: str) -> RunSpec:
    """Return an experiment that uses a given part.

    Args:
        card: The part.
        catalogue: All parts and shipped experiments.
        kind: The kind in view; kept if the part solves it.
    """
    solved = card.solves or (kind,)
    kind = kind if kind in solved else solved[0]
    spec = _base_experiment(card, catalogue, kind)
    choice = Choice(name=card.name)
    if card.slot == "shift":
        severities = tuple(float(s) for s in card.traits.get("severities", ()))
        shift = ShiftChoice(name=card.name, severities=severities)
        return spec.model_copy(update={"shifts": (shift,)})
    if card.slot == "learner":
        return spec.model_copy(update={"learners": _add_learner(spec, card)})
    if card.slot == "family":
        return experiment_on_family(spec, catalogue, card)
    return spec.model_copy(update={card.slot: choice})


def _base_experiment(card: Card, catalogue: Catalogue, kind: str) -> RunSpec:
    """Return the first experiment of a kind whose family fits a part."""
    first = default_experiment(catalogue, kind)
    if card.slot not in ("learner", "net"):
        return first
    for spec in (
        first,
        *(p.spec for p in compatibility.presets_of_kind(catalogue, kind)),
    ):
        if compatibility.fits(
            catalogue, card, catalogue.card("family", spec.family.name)
        ):
            return spec
    for family in compatibility.cards_of_kind(catalogue, "family", kind):
        if compatibility.fits(catalogue, card, family) and not family.missing:
            return experiment_on_family(first, catalogue, family)
    return first


def experiment_on_family(spec: RunSpec, catalogue: Catalogue, family: Card) -> RunSpec:
    """Return an experiment on another family, without parts that do not fit it.

    If there is a shipped experiment on that family, it is returned unchanged.
    """
    kind = str(family.traits.get("kind"))
    for preset in compatibility.presets_of_kind(catalogue, kind):
        if preset.spec.family.name == family.name:
            return preset.spec
    return fit_to_family(spec.model_copy(update={"shifts": ()}), catalogue, family)


def fit_to_family(spec: RunSpec, catalogue: Catalogue, family: Card) -> RunSpec:
    """Return a spec moved to a family of its kind, without unfit learners."""
    net = catalogue.card("net", spec.net.name)
    kept = tuple(_fitting_learners(spec, catalogue, family))
    if not any(entry.role == "chosen" for entry in kept):
        kept = (*_default_choices(catalogue, family), *kept)
    changed = {
        "family": Choice(name=family.name),
        "test_families": (),
        "learners": kept,
        "rival": spec.rival if any(e.label == spec.rival for e in kept) else "",
    }
    if not compatibility.fits(catalogue, net, family) or net.name != family.traits.get(
        "net"
    ):
        changed["net"] = Choice(name=compatibility.usual_net(catalogue, family))
    return spec.model_copy(update=changed)


def _fitting_learners(
    spec: RunSpec, catalogue: Catalogue, family: Card
) -> Iterator[LearnerChoice]:
    for entry in spec.learners:
        if compatibility.fits(catalogue, catalogue.card("learner", entry.name), family):
            yield entry


def _default_choices(catalogue: Catalogue, family: Card) -> Iterator[LearnerChoice]:
    for name in compatibility.default_learners(catalogue, family):
        yield LearnerChoice(name=name, label=name)


def _add_learner(spec: RunSpec, card: Card) -> tuple[LearnerChoice, ...]:
    baselines = [entry for entry in spec.learners if entry.role == "baseline"]
    if card.group != "baseline":
        return (LearnerChoice(name=card.name, label=card.name), *baselines)
    mine = _baseline_choice(card)
    same = any((e.name, e.label) == (mine.name, mine.label) for e in baselines)
    return tuple(spec.learners) if same else (*spec.learners, mine)


def _baseline_choice(card: Card) -> LearnerChoice:
    """Return a baseline, tuned if its tuning is optional."""
    if not compatibility.is_tunable(card):
        return LearnerChoice(name=card.name, label=card.name, role="baseline")
    return LearnerChoice(
        name=card.name,
        label=f"{card.name}_tuned",
        role="baseline",
        knobs={"tuning": "tuned"},
    )

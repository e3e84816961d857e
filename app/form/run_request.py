"""What the form asks for: its completed experiment, or why it can't be run."""

from typing import NamedTuple

from app import session
from app.client import client, demo_access, demo_checks, spec_checks
from app.experiment import (
    compatibility,
    effort_fields,
    form_differences,
    spec_mapping,
)
from app.experiment.spec_mapping import Form
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.run_spec import Choice, RunSpec

# Fields on which it does not depend if an experiment can be run.
_HARMLESS = frozenset({"k.seed", "k.rival", "k.device", *effort_fields.KEYS})
SOON = 0.25  # seconds in which the engine answers most questions, once it is warm


class RunRequest(NamedTuple):
    """What the form asks for.

    Args:
        run: Its completed spec and run key; None if it can't be run.
        refusal: Why not, in one sentence; else empty.
        is_pending: Whether the engine is still to say if it can be run.
        is_too_large: Whether it is beyond what a run of the demo may take.
    """

    run: tuple[RunSpec, str] | None
    refusal: str
    is_pending: bool = False
    is_too_large: bool = False


def request_run(seconds: float | None = None, form: Form | None = None) -> RunRequest:
    """Return what the form asks for, or why it can't be run.

    Args:
        seconds: How long to wait for what only the engine can say; None waits a
            little, unless others are answered first.
        form: The form's fields, where they are read already.
    """
    try:
        spec, key = requested_run(session.form_values() if form is None else form)
        demo_access.check_access(spec, key)  # before the engine is asked of it
    except Refused as refusal:
        return RunRequest(None, refusal.message)
    if client.job(key) is not None:
        return RunRequest((spec, key), "")
    if excess := demo_checks.check_limits(spec):
        return RunRequest(None, excess[0], is_too_large=True)
    if _can_run(spec):
        return RunRequest((spec, key), "")
    if seconds is None:
        seconds = 0.0 if spec_checks.checker.is_busy() else SOON
    found = spec_checks.checker.refusal(key, spec, seconds)
    return RunRequest(None if found else (spec, key), found or "", found is None)


def _can_run(spec: RunSpec) -> bool:
    """Whether an experiment can be run without asking the engine.

    The default experiments can, with any seed and effort.
    """
    if not session.is_from_default():
        return False
    form, start = spec_mapping.spec_to_form(spec), session.start_form()
    found = form_differences.form_differences(form, start, client.catalogue().card)
    return {each.key for each in found} <= _HARMLESS


def requested_run(form: Form) -> tuple[RunSpec, str]:
    """Return a form's completed spec, and its run key.

    Raises:
        Refused: If the form is invalid.
    """
    spec = spec_mapping.form_to_spec(form, client.catalogue().card)
    for family in (spec.family, *spec.test_families):
        _check_data(client.catalogue().card("family", family.name), family)
    refused = compatibility.describe_misfit(client.catalogue(), spec)
    if refused:
        raise Refused(refused, "learners")
    return client.complete_with_key(spec)


def _check_data(card: Card, family: Choice) -> None:
    """Refuse a family whose data is missing, or whose code only you may start."""
    if card.traits.get("own_code"):
        raise Refused(
            f"{card.title} runs code that the experiment names, so it starts from the "
            "command line alone: python -m engine run SPEC.json --out FOLDER",
            "family",
        )
    if card.missing:
        raise Refused(f"{card.title} cannot run: it needs {card.missing}.", "family")
    if card.traits.get("needs_file") and not family.knobs.get("digest"):
        noun = "an archive" if card.traits.get("file") == "zip" else "a CSV"
        raise Refused(f"{card.title} needs a file: choose {noun} first.", "family")

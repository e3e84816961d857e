"""Opens a shipped experiment in the Lab; this never starts it."""

from app import session
from app.client.catalogue import Preset
from app.widgets import page_elements
from engine.contract.errors import Refused


def open_in_lab(preset: Preset, run: str | None = None) -> None:
    """Fill the form with an experiment and switch to the Lab; else say why not.

    Args:
        preset: The experiment.
        run: Key of a run of it, which is shown; None for the recorded example.
    """
    try:
        session.load_spec(preset.spec, preset.title)
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    session.show_run(run)
    session.open_lab(run or "")

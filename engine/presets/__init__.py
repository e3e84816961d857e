"""The shipped experiments: specs that are worth running as they are.

They say only what differs from the parts' defaults, so that they read as what a
person would have chosen. The first one of a kind of task is that kind's default.
"""

from engine.contract.errors import Refused
from engine.contract.kinds import current_name
from engine.presets import few_shot, optimization, search
from engine.presets.builders import Preset, spec_as_json

PRESETS = (*optimization.PRESETS, *few_shot.PRESETS, *search.PRESETS)

__all__ = ["PRESETS", "Preset", "preset", "spec_as_json"]


def preset(name: str) -> Preset:
    """Return the shipped experiment of that name.

    Raises:
        Refused: If there is none; the message lists what there is.
    """
    for found in PRESETS:
        if found.name == current_name(name):
            return found
    have = ", ".join(found.name for found in PRESETS)
    raise Refused(f"no preset is called {name[:40]!r}; there are: {have}", "preset")

"""The shipped experiments: run specs that are worth running unchanged.

They state only what differs from the parts' defaults, as the user would choose it in
the form. The first one of each kind of task is that kind's default.
"""

import difflib

from engine.contract.errors import Refused
from engine.contract.kinds import current_name
from engine.presets import (
    few_shot,
    optimization,
    rl,
    rl_adaptation,
    rl_control,
    search,
)
from engine.presets.builders import Preset, spec_as_json

PRESETS = (
    *optimization.PRESETS,
    *few_shot.PRESETS,
    *rl.PRESETS,
    *rl_adaptation.PRESETS,
    *rl_control.PRESETS,
    *search.PRESETS,
)

__all__ = ["PRESETS", "Preset", "preset", "spec_as_json"]


def preset(name: str) -> Preset:
    """Return the shipped experiment of that name.

    Args:
        name: Its name; names of earlier versions work, too.

    Raises:
        Refused: If there is none; the message lists all names.
    """
    for found in PRESETS:
        if found.name == current_name(name):
            return found
    names = [found.name for found in PRESETS]
    near = difflib.get_close_matches(name, names, 2)
    hint = f"did you mean {' or '.join(map(repr, near))}? There" if near else "there"
    # The name comes from outside, so the message quotes only its beginning.
    raise Refused(
        f"no preset is called {name[:40]!r}; {hint} are: {', '.join(names)}", "preset"
    )

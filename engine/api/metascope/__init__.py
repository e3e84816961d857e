"""Metascope from Python: experiments in meta-learning as values, in a notebook.

```python
import metascope as ms

result = ms.run("smoke", replicates=4)          # a shipped experiment, changed
print(result.call)                              # the answer, in one sentence
result.claims                                   # every comparison, a DataFrame
result.plot().show()                            # the lab's own figures, by plotly
```

Start with `presets` (shipped experiments) and `catalogue` (all parts), make an
experiment with `spec`, compute it with `run` or many with `sweep`, and look at the
`Result`. `metascope.parts` has what a part of your own needs; `Result.learners` has the
meta-trained learners, to be used with your own model.

Importing metascope makes the lab's packages `engine`, `app` and `pages` importable.
"""

from metascope.lab_packages import load_lab

load_lab()

from engine import __version__  # noqa: E402
from engine.contract.errors import Refused  # noqa: E402
from metascope.execution import RunFailed, run  # noqa: E402
from metascope.experiments import Spec, spec  # noqa: E402
from metascope.own_parts import register  # noqa: E402
from metascope.part_catalogue import (  # noqa: E402
    Catalogue,
    PartEntry,
    Shelf,
    catalogue,
)
from metascope.results import Call, Result  # noqa: E402
from metascope.saved_runs import load  # noqa: E402
from metascope.shipped import Preset, Presets, presets  # noqa: E402
from metascope.sweeps import SweepResult, sweep  # noqa: E402

__all__ = [
    "Call",
    "Catalogue",
    "PartEntry",
    "Preset",
    "Presets",
    "Refused",
    "Result",
    "RunFailed",
    "Shelf",
    "Spec",
    "SweepResult",
    "__version__",
    "catalogue",
    "load",
    "presets",
    "register",
    "run",
    "spec",
    "sweep",
]

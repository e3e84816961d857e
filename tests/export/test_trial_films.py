"""Films of agents are read from an archive only if each trial has its rows."""

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.export.artefact_checks import read_artefact
from engine.store import array_codec


def film(rows: int) -> bytes:
    info = {"family": "navigation", "picture": "plane", "trials": 3, "condition": {}}
    about = {"name": "film", "kind": "trials", "info": info}
    return array_codec.pack({"maml_rl/reward": np.zeros((rows, 2, 5))}, about)


def test_a_film_of_agents_is_read() -> None:
    assert read_artefact(film(3)).kind == "trials"


def test_a_film_that_lacks_a_trial_is_refused() -> None:
    with pytest.raises(Refused, match="must have 3 rows, one for each trial"):
        read_artefact(film(2))

"""Frozen meta-learners: filed as artefacts, and held to have stayed as they were."""

from collections.abc import Iterator

import numpy as np

from engine.contract.events import Artefact, Block
from engine.protocol import Weights
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.state import RunState, as_numpy, digest_arrays


def freeze_learner(
    context: RunContext, entry: LearnerEntry, weights: Weights, state: RunState
) -> Artefact:
    """File frozen meta-weights, and remember their digest for the end."""
    arrays = as_numpy(weights)
    name = digest_arrays(arrays)
    known = state.learner(entry.label)
    known.digests.append(name)
    info = {
        "learner": entry.choice.name,
        "knobs": entry.choice.knobs,
        "family": context.spec.family.model_dump(mode="json"),
        "digest": name,
        "meta_step": known.at,
    }
    return Artefact(entry.label, "frozen", arrays, info)


def check_frozen(state: RunState) -> Iterator[Block]:
    """Say of each frozen meta-learner whether testing changed it.

    Raises:
        RuntimeError: If it did; a learner keeps state where it must not.
    """
    for label, weights in state.metas.items():
        if then := state.learner(label).digests:
            changed = float(digest_arrays(as_numpy(weights)) not in then)
            yield Block(label, "test", "thawed", (), np.array(changed))
            if changed:
                raise RuntimeError(f"{label} was frozen, and testing changed it")

"""Frozen meta-learners: stored as artefacts, and checked to be unchanged at the end."""

from collections.abc import Iterator

import numpy as np

from engine.contract.events import Artefact, Block
from engine.protocol import Weights
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.state import RunState, as_numpy, digest_arrays


def freeze_learner(
    context: RunContext, entry: LearnerEntry, weights: Weights, state: RunState
) -> Artefact:
    """Return frozen meta-weights as an artefact, and keep their digest in the state.

    With them goes the variance of the learner's residuals, if that is fixed.

    Args:
        context: The run.
        entry: The learner.
        weights: Its meta-weights; the first axis of each tensor is the replicate.
        state: Keeps the digest, for `check_frozen`.
    """
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
    if known.residual_variance is not None:
        info["residual_variance"] = known.residual_variance
    return Artefact(entry.label, "frozen", arrays, info)


def check_frozen(state: RunState) -> Iterator[Block]:
    """Yield for each frozen meta-learner whether the meta-test changed it: 0 or 1.

    Raises:
        RuntimeError: If it did: the learner changes its weights in place.
    """
    for label, weights in state.metas.items():
        if then := state.learner(label).digests:
            changed = float(digest_arrays(as_numpy(weights)) not in then)
            yield Block(label, "test", "thawed", (), np.array(changed))
            if changed:
                raise RuntimeError(
                    f"the meta-test changed the frozen weights of {label}; its `adapt` "
                    "must not modify them in place"
                )

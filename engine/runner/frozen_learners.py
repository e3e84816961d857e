"""Frozen meta-learners: filed as artefacts, and held to have stayed as they were."""

from collections.abc import Iterator

import numpy as np

from engine.contract.blocks import Artefact, Block
from engine.protocol import Weights
from engine.runner.context import Bench, Entrant
from engine.runner.state import Carry, digest, plain


def frozen(bench: Bench, entrant: Entrant, weights: Weights, carry: Carry) -> Artefact:
    """File frozen meta-weights, and remember their digest for the end."""
    arrays = plain(weights)
    name = digest(arrays)
    known = carry.learner(entrant.label)
    known.digests.append(name)
    info = {
        "learner": entrant.choice.name,
        "knobs": entrant.choice.knobs,
        "family": bench.spec.family.model_dump(mode="json"),
        "digest": name,
        "meta_step": known.at,
    }
    return Artefact(entrant.label, "frozen", arrays, info)


def check_frozen(carry: Carry) -> Iterator[Block]:
    """Say of each frozen meta-learner whether testing changed it.

    Raises:
        RuntimeError: If it did; a learner keeps state where it must not.
    """
    for label, weights in carry.metas.items():
        if then := carry.learner(label).digests:
            changed = float(digest(plain(weights)) not in then)
            yield Block(label, "test", "thawed", (), np.array(changed))
            if changed:
                raise RuntimeError(f"{label} was frozen, and testing changed it")

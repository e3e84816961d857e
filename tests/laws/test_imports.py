"""What a run gives, an import takes: no part writes what `engine.export` refuses."""

import numpy as np
import pytest

from engine.contract.events import Artefact, Block
from engine.contract.run_spec import canonical_json
from engine.export.artefact_checks import read_artefact
from engine.export.block_checks import BlockReader, check_labels
from engine.runner.context import RunContext
from engine.runner.titled_summary import summarize_run
from engine.store import array_codec, arrow_codec
from tests.golden.rows import cases
from tests.laws.small import events

CASES = cases()
# Of each kind of task one, and whatever has a form of its own.
FEW = (
    "learner/lr_scale",
    "learner/protonet",
    "learner/warm_evolution",
    "learner/maml_plus",
    "learner/rl2",
    "family/rosenbrock",
    "family/sinusoids",
    "shift/horizon",
)


def assert_taken(name: str) -> None:
    """Play a tiny run, and read its blocks and artefacts as those of an archive."""
    spec = CASES[name]
    check_labels(spec)
    found, played = BlockReader(spec), list(events(spec))
    for block in arrow_codec.newest_per_address(
        e for e in played if isinstance(e, Block)
    ):
        found.add(arrow_codec.block_header(block), np.asarray(block.array))
    for made in (e for e in played if isinstance(e, Artefact)):
        about = {"name": made.name, "kind": made.kind, "info": made.info}
        back = read_artefact(array_codec.pack(made.arrays, about))
        assert back.info == made.info
    assert found.held
    assert canonical_json(summarize_run(found.held, spec))
    # Tables of a hand-made optimizer are not filmed, so its run has nothing but rows.
    trains = any(entry.learner.trains for entry in RunContext(spec).entries)
    assert any(isinstance(e, Artefact) for e in played) or not trains


@pytest.mark.parametrize("name", FEW)
def test_an_import_accepts_what_a_run_exports(name: str) -> None:
    assert_taken(name)


@pytest.mark.torture
@pytest.mark.parametrize("name", sorted(CASES))
def test_an_import_accepts_the_export_of_every_part(name: str) -> None:
    assert_taken(name)

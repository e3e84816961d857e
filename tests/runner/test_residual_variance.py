"""The spread of learners that only predict values: fixed once, then carried along."""

from collections.abc import Iterable

import numpy as np
import pytest
import torch

from engine.contract.events import Artefact, Block, Event
from engine.contract.run_spec import RunSpec
from engine.export.block_checks import BlockReader
from engine.runner.context import RunContext
from engine.runner.validation import adapt_quietly, draw_validation_tasks
from engine.store import arrow_codec
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import assert_same, collected, events, learner_spec

SINES = "sinusoids"


def spread_of(found: Iterable[Event]) -> np.ndarray:
    (block,) = blocks_of(found, "residual_variance")
    return np.asarray(block.array)


def blocks_of(found: Iterable[Event], metric: str) -> list[Block]:
    return [e for e in found if isinstance(e, Block) and e.metric == metric]


def frozen(found: Iterable[Event]) -> Artefact:
    return [e for e in found if isinstance(e, Artefact) and e.kind == "frozen"][-1]


@pytest.fixture(scope="module")
def shifted() -> tuple[RunSpec, list[Event]]:
    shifts = [{"name": "function_noise", "severities": [1.0]}]
    spec = learner_spec("maml", SINES, shifts=shifts)
    return spec, list(events(spec))


def test_it_is_the_mean_square_of_the_residuals_on_validation_episodes(
    shifted: tuple[RunSpec, list[Event]],
) -> None:
    spec, found = shifted
    context = RunContext(spec)
    entry, tasks = context.entries[0], draw_validation_tasks(context)
    weights = {n: torch.from_numpy(a) for n, a in frozen(found).arrays.items()}
    trace = adapt_quietly(entry.learner, weights, tasks)
    assert trace.answers is not None
    residual = trace.answers["residual"].double().view(spec.replicates, -1)
    expected = residual.square().mean(1).numpy()
    np.testing.assert_allclose(spread_of(found), expected, rtol=1e-6)


def test_under_a_shift_the_spread_stays_as_it_was_fixed(
    shifted: tuple[RunSpec, list[Event]],
) -> None:
    _, found = shifted
    tests = blocks_of(found, "sharpness")
    assert len(tests) == 2
    sd = np.sqrt(spread_of(found))[:, None]
    for block in tests:
        np.testing.assert_allclose(block.array, np.broadcast_to(sd, block.array.shape))


def test_a_learner_that_is_taken_to_another_family_brings_its_spread(
    shifted: tuple[RunSpec, list[Event]],
) -> None:
    spec, found = shifted
    cache, run = InMemoryRunCache(), "0" * 64
    cache.put(run, spec, [frozen(found)])
    given = {"maml": {"run": run, "artefact": "maml"}}
    later = learner_spec("maml", "gaussian_process", replicates=3, inputs=given)
    carried = list(events(later, cache=cache))
    before = spread_of(found)
    # A third replicate takes the first one's weights, and so its spread.
    np.testing.assert_array_equal(spread_of(carried), [*before, before[0]])


def test_every_batch_freezes_its_own_spreads_behind_the_earlier_ones() -> None:
    learners = [
        {"name": "maml", "label": "mine"},
        {"name": "from_scratch", "role": "baseline", "knobs": {"steps": 2}},
    ]

    def play(count: int, **fields: object) -> list[Event]:
        spec = learner_spec("maml", SINES, replicates=count, learners=learners)
        return list(events(spec.model_copy(update=fields)))

    batched, alone = play(5, looks=(2, 5)), play(5)
    mine = [e for e in batched if isinstance(e, Artefact) and e.name == "mine"][-1]
    whole = [e for e in alone if isinstance(e, Artefact) and e.name == "mine"][-1]
    np.testing.assert_allclose(
        mine.info["residual_variance"], whole.info["residual_variance"], rtol=1e-5
    )


def test_a_baseline_from_the_cache_keeps_the_spread_of_its_training() -> None:
    fine_tune = {"name": "fine_tune", "role": "baseline", "knobs": {"steps": 2}}
    spec = learner_spec("maml", SINES, learners=[{"name": "maml"}, fine_tune])
    cache = InMemoryRunCache()
    first = collected(events(spec, cache=cache))
    assert_same(first, collected(events(spec, cache=cache)))


def test_the_histograms_are_accepted_from_an_archive(
    shifted: tuple[RunSpec, list[Event]],
) -> None:
    spec, found = shifted
    reader = BlockReader(spec)
    for block in arrow_codec.newest_per_address(
        [e for e in found if isinstance(e, Block)]
    ):
        reader.add(arrow_codec.block_header(block), block.array)
    assert {"below_share", "nll"} <= {block.metric for block in reader.held}

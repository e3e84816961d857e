"""The rival of the primary question is another learner of the run, or is refused."""

import pytest

from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec, complete_spec
from engine.presets import preset
from engine.runner.loop import run
from tests.in_memory_run_cache import InMemoryRunCache


def with_rival(rival: str) -> RunSpec:
    spec = complete_spec(preset("smoke").spec, find_card, "cpu")
    return spec.model_copy(update={"rival": rival})


@pytest.mark.parametrize("rival", ["nobody", "lr_scale"])
def test_a_rival_that_is_no_other_learner_is_refused_by_its_field(rival: str) -> None:
    with pytest.raises(Refused, match="must be the label of another learner") as error:
        list(run(with_rival(rival), InMemoryRunCache()))
    assert error.value.field == "rival"
    assert "'sgd_tuned'" in str(error.value)


def test_without_a_chosen_learner_there_is_no_rival() -> None:
    spec = with_rival("sgd_tuned")
    alone = tuple(c for c in spec.learners if c.role == "baseline")
    with pytest.raises(Refused, match="empty"):
        list(run(spec.model_copy(update={"learners": alone}), InMemoryRunCache()))

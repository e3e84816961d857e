"""The collector rests while modules are imported, and works again afterwards."""

import gc

import pytest

from engine.garbage_collection import no_collections


def test_no_garbage_is_collected_until_the_end_even_by_an_error() -> None:
    assert gc.isenabled()
    was_enabled: list[bool] = []

    @no_collections()
    def load_broken_module() -> None:
        was_enabled.append(gc.isenabled())
        raise ImportError("broken")

    with pytest.raises(ImportError, match="broken"):
        load_broken_module()
    assert was_enabled == [False]
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with no_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

"""The collector rests while modules are imported, and works again afterwards."""

import gc

import pytest

from engine.garbage_collection import no_collections


def test_no_garbage_is_collected_until_the_end_even_by_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError, match="broken"), no_collections():
        assert not gc.isenabled()
        raise ValueError("broken")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with no_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

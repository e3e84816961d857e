"""The data pack, where there is one; a test that needs it is skipped by name."""

import pytest

from engine.data.sources import data_pack


@pytest.fixture
def packed(request: pytest.FixtureRequest) -> str:
    """Return the file that the test asks for, or skip."""
    file = str(request.param)
    if data_pack.missing_pack_file(file):
        pytest.skip(f"{file} is not in the data pack; set METASCOPE_DATA to its folder")
    return file

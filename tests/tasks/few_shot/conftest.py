"""The data pack's fixture, as the tests of the data have it."""

from tests.data.conftest import packed

__all__ = ["packed"]

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources import data_pack
from engine.tasks.optimization._row_pools import split_table
from engine.tasks.optimization.fashion_mnist import FashionMnist
from engine.tasks.optimization.mnist import Mnist
from engine.tasks.optimization.tabular import TableName, Tabular

needs = pytest.mark.parametrize


@pytest.mark.pack
@needs("packed", ["mnist_small.npz"], indirect=True)
def test_mnist_is_divided_and_averaged(packed: str) -> None:
    whole, small = data_pack.mnist(28), data_pack.mnist(14)
    assert whole.x.shape == (20_000, 784)
    block = whole.x[5].reshape(28, 28)[:2, :2].mean()
    assert small.x[5, 0] == pytest.approx(float(block), abs=1e-6)
    np.testing.assert_allclose(small.x.mean(1), whole.x.mean(1), atol=1e-5)
    assert set(whole.y) == set(range(10))
    sample = Mnist().sample(Rng(1), "test")
    assert sample.x.shape == (196, 128)
    assert set(sample.y) == {0, 1, 2, 3, 4}


@pytest.mark.pack
@needs("packed", ["fashion_mnist_900.npz"], indirect=True)
def test_fashion_mnist_has_its_classes(packed: str) -> None:
    table = data_pack.fashion_mnist(14)
    assert np.bincount(table.y).tolist() == [90] * 10
    assert "Sandal" in table.classes
    FashionMnist().check()


@pytest.mark.pack
@needs("packed", ["tabular.npz"], indirect=True)
@needs("name", get_args(TableName))
def test_every_tabular_set_can_be_drawn_from_every_pool(packed: str, name: str) -> None:
    family = Tabular(which=name)  # type: ignore[arg-type]
    family.check()
    table = family.table()
    rows = [set(pool.rows) for pool in split_table(table).pools.values()]
    assert sum(map(len, rows)) == table.rows == len(set.union(*rows))
    for pool in ("train", "validation", "test"):
        sample = family.sample(Rng(1), pool)
        assert np.isfinite(sample.x).all()
        assert (sample.y.dtype.kind == "i") == (family.answer_kind() == "classes")


@pytest.mark.pack
@needs("packed", ["tabular.npz"], indirect=True)
def test_a_set_that_the_project_embeds_is_the_same_in_the_pack(packed: str) -> None:
    from engine.data.sources.sklearn_sets import load_bundled_set

    np.testing.assert_allclose(
        data_pack.tabular("iris").x, load_bundled_set("iris").x, rtol=1e-6
    )
    np.testing.assert_array_equal(
        data_pack.tabular("digits8x8").y, load_bundled_set("digits").y
    )


@pytest.fixture
def no_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Make it as if there were no pack."""
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    data_pack.tabular.cache_clear()
    yield tmp_path
    data_pack.tabular.cache_clear()


def test_a_family_without_its_file_names_it_and_refuses_to_draw(no_pack: Path) -> None:
    assert Mnist.missing_file() == "mnist_small.npz"
    assert FashionMnist.missing_file() == "fashion_mnist_900.npz"
    assert Tabular.missing_file() == "tabular.npz"
    with pytest.raises(Refused, match=r"needs tabular\.npz .* METASCOPE_DATA"):
        Tabular().sample(Rng(1), "train")


def test_a_pack_file_with_other_bytes_is_refused(no_pack: Path) -> None:
    np.savez(no_pack / "tabular.npz", meta=np.array("{}"))
    assert Tabular.missing_file() == ""
    with pytest.raises(Refused, match="damaged or another version"):
        Tabular().sample(Rng(1), "train")

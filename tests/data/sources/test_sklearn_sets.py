import gzip
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from engine.contract.errors import Refused
from engine.data.inventory import inventory
from engine.data.sources import sklearn_sets
from engine.data.sources.checksums import read_verified, sha256
from engine.data.sources.sklearn_sets import SETS
from engine.data.user.csv_store import read_csv, store_csv

LOADERS = {
    "digits": sklearn.datasets.load_digits,
    "breast_cancer": sklearn.datasets.load_breast_cancer,
    "wine": sklearn.datasets.load_wine,
    "iris": sklearn.datasets.load_iris,
    "diabetes": lambda: sklearn.datasets.load_diabetes(scaled=False),
}


@pytest.mark.parametrize("name", SETS)
def test_a_bundled_set_is_what_scikit_learn_loads(name: str) -> None:
    truth, table = LOADERS[name](), sklearn_sets.load_bundled_set(name)
    np.testing.assert_array_equal(table.x, truth.data)
    np.testing.assert_array_equal(table.y, truth.target)
    if table.classes:
        assert table.classes == tuple(str(t) for t in truth.target_names)
    known = SETS[name]
    assert (table.rows, table.features) == (known.rows, known.features)
    assert table.classes == known.classes


def test_a_file_that_is_not_the_known_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "iris.csv"
    path.write_bytes(b"1,2\n")
    assert read_verified(path, sha256(b"1,2\n")) == b"1,2\n"
    with pytest.raises(Refused, match=r"iris\.csv is damaged or another version"):
        read_verified(path, sha256(b"1,3\n"))
    with pytest.raises(Refused, match="cannot be read"):
        read_verified(tmp_path / "gone.csv", "0" * 64)


def test_a_set_without_its_file_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sklearn_sets, "sklearn_folder", lambda: tmp_path)
    assert sklearn_sets.missing_bundled_file("wine") == "scikit-learn's wine_data.csv"
    (tmp_path / "wine_data.csv").write_bytes(gzip.compress(b""))
    assert sklearn_sets.missing_bundled_file("wine") == ""
    monkeypatch.setattr(sklearn_sets, "sklearn_folder", lambda: None)
    assert sklearn_sets.missing_bundled_file("wine") == "scikit-learn's wine_data.csv"


def test_the_inventory_tells_what_is_there_absent_and_damaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    (tmp_path / "mnist_small.npz").write_bytes(b"not it")
    digest = store_csv(read_csv(b"a,b\n1,x\n"))
    entries = {entry["file"]: entry for entry in inventory()}
    assert {e["state"] for e in entries.values() if e["kind"] == "embedded"} == {
        "present"
    }
    assert entries["mnist_small.npz"]["state"] == "damaged"
    assert entries["tabular.npz"]["state"] == "absent"
    assert entries[f"{digest}.csv"]["state"] == "present"
    for entry in entries.values():
        assert len(entry["sha256"]) == 64
        assert entry["license"] or entry["kind"] == "own"
        assert entry["families"]

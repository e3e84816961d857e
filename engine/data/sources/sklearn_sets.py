"""The data sets that scikit-learn ships, read without importing it.

Source: scikit-learn, BSD-3; the sets are from the UCI repository (CC BY 4.0), except
diabetes, from Efron, Hastie, Johnstone and Tibshirani (2004).
Differs: diabetes has its raw columns, not scikit-learn's scaled ones; each task
standardizes with its own training rows.
"""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.checksums import read_verified
from engine.data.sources.supervised_table import DataTable

UCI = "UCI repository, CC BY 4.0"


@dataclass(frozen=True)
class BundledSet:
    """A data set in scikit-learn's package.

    Args:
        title: Its name, with the source.
        files: SHA-256 by file name; inputs first, then answers where they are apart.
        rows: Number of rows.
        features: Number of inputs.
        classes: Names of the classes; empty for regression.
        license: Of the data.
    """

    title: str
    files: dict[str, str]
    rows: int
    features: int
    classes: tuple[str, ...]
    license: str = UCI


SETS = {
    "digits": BundledSet(
        "Handwritten digits, 8 × 8 (Alpaydin and Kaynak 1998)",
        {
            "digits.csv.gz": "09f66e6debdee2cd2b5ae59e0d6abbb7"
            "3fc2b0e0185d2e1957e9ebb51e23aa22"
        },
        1797,
        64,
        tuple("0123456789"),
    ),
    "breast_cancer": BundledSet(
        "Breast cancer Wisconsin, diagnostic (Street, Wolberg, Mangasarian 1993)",
        {
            "breast_cancer.csv": "fed3eb72d0575ef6192293f5093c6e80"
            "1b1476b577d0386bf4455504522172ed"
        },
        569,
        30,
        ("malignant", "benign"),
    ),
    "wine": BundledSet(
        "Wine cultivars (Forina et al. 1991)",
        {
            "wine_data.csv": "10e8a802908b34f86e5da8ce962f3c80"
            "6694bc98450a18f61851af59f324bede"
        },
        178,
        13,
        ("class_0", "class_1", "class_2"),
    ),
    "iris": BundledSet(
        "Iris flowers (Fisher 1936)",
        {
            "iris.csv": "f13ffa8fdd56fd8e6c8d16d4081a3fbd"
            "3114bcd0aae4256c43205169cd9d1449"
        },
        150,
        4,
        ("setosa", "versicolor", "virginica"),
    ),
    "diabetes": BundledSet(
        "Diabetes progression (Efron et al. 2004)",
        {
            "diabetes_data_raw.csv.gz": "7fc0ded571454b1982210d3bb43f0aca"
            "44eae01a0b8654a3b24022bdb6b38009",
            "diabetes_target.csv.gz": "8e53f65eb811df43c206f3534bb3af0e"
            "5fed213bc37ed6ba36310157d6023803",
        },
        442,
        10,
        (),
        "shipped by scikit-learn, BSD-3; no license of its own",
    ),
}


def sklearn_folder() -> Path | None:
    """Return the folder of scikit-learn's data files; None if it is not installed."""
    found = find_spec("sklearn")
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) / "datasets" / "data" if places else None


def missing_bundled_file(name: str) -> str:
    """Return the first missing file of a set; empty if none is missing.

    Args:
        name: A key of `SETS`.
    """
    home, files = sklearn_folder(), SETS[name].files
    gone = [file for file in files if home is None or not (home / file).is_file()]
    return f"scikit-learn's {gone[0]}" if gone else ""


@lru_cache(maxsize=8)
def load_bundled_set(name: str) -> DataTable:
    """Read one data set.

    Args:
        name: A key of `SETS`.

    Raises:
        Refused: If one of its files is absent or damaged.
    """
    if gone := missing_bundled_file(name):
        raise Refused(f"{name} needs {gone}; install scikit-learn")
    each = [_read_numbers(file, digest) for file, digest in SETS[name].files.items()]
    if len(each) == 1:
        return DataTable(
            each[0][:, :-1], each[0][:, -1].astype(np.int64), SETS[name].classes
        )
    return DataTable(each[0], each[1][:, 0])


def _read_numbers(file: str, digest: str) -> np.ndarray:
    """Return the numbers of a file, without its header line; shape (row, column)."""
    data = read_verified((sklearn_folder() or Path()) / file, digest)
    text = (gzip.decompress(data) if file.endswith(".gz") else data).decode()
    rows = [line.replace(",", " ").split() for line in text.splitlines()]
    named = any(cell[0].isalpha() for cell in rows[0])
    return np.array(rows[1:] if named else rows, dtype=np.float64)

"""The data pack: data sets in a separate folder, too large to be bundled.

A family whose file is missing is listed but disabled; only `data fetch` downloads.
"""

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.checksums import read_verified
from engine.data.sources.locations import pack_home
from engine.data.sources.supervised_table import DataTable


@dataclass(frozen=True)
class PackFile:
    """A file of the pack, the families that use it, and its SHA-256."""

    file: str
    families: tuple[str, ...]
    sha256: str
    title: str
    license: str


OMNIGLOT = "MIT, © 2015 Brenden Lake"

FILES = {
    packed.file: packed
    for packed in (
        PackFile(
            "mnist_small.npz",
            ("mnist",),
            "36ca5da97c4b1f1284fd670f9de2f031479547832773fd27b9c4f519bedd8bdb",
            "MNIST: 10,000 of the training images and the 10,000 test images",
            "CC BY-SA 3.0",
        ),
        PackFile(
            "fashion_mnist_900.npz",
            ("fashion_mnist",),
            "b776f676ef87ada0053b0d12474692f6e9dcd4fb314abaf8dc4c12fedb198df7",
            "Fashion-MNIST: 90 images of each class",
            "MIT, Zalando",
        ),
        PackFile(
            "tabular.npz",
            ("tabular",),
            "8f4801f41cc63983edf16b49d198573115131b9bd2b95aa9a5727be260e97664",
            "16 small real sets",
            "per set, mostly UCI, CC BY 4.0",
        ),
        PackFile(
            "nasbench201.npz",
            ("nasbench201",),
            "56e1fc510fe4da9f3d37b9c563ec31f2999b6971a015c65630d5c39b9271cec6",
            "NAS-Bench-201: 15,625 trained cells, with hardware costs",
            "MIT, © Xuanyi Dong; hardware costs GATECH-EIC",
        ),
        PackFile(
            "omniglot28.npz",
            ("omniglot",),
            "db887d4c5b075b39d8e003f3a3db7d0a02012c39cdc38b908fdf4214f8cb34cc",
            "Omniglot: 1,623 characters by 20 drawers, averaged to 28 × 28",
            OMNIGLOT,
        ),
        PackFile(
            "images_background.zip",
            ("omniglot",),
            "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640",
            "Omniglot: the author's background set, 30 alphabets",
            OMNIGLOT,
        ),
        PackFile(
            "images_evaluation.zip",
            ("omniglot",),
            "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee",
            "Omniglot: the author's evaluation set, 20 alphabets",
            OMNIGLOT,
        ),
        PackFile(
            "images_background_small1.zip",
            ("omniglot",),
            "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
            "Omniglot: the author's first small background set, 5 alphabets",
            OMNIGLOT,
        ),
    )
}


def missing_pack_file(file: str) -> str:
    """Return the file's name if the pack does not have it, else an empty text."""
    return "" if (pack_home() / file).is_file() else file


@lru_cache(maxsize=4)
def mnist(side: int) -> DataTable:
    """Return MNIST, averaged down to side × side pixels in [0, 1].

    Args:
        side: Pixels per side; a divisor of 28.

    Raises:
        Refused: If the file is absent or damaged.
    """
    held = pack_arrays("mnist_small.npz")
    images = np.concatenate([held["x_train"], held["x_test"]])
    labels = np.concatenate([held["y_train"], held["y_test"]])
    return _image_table(images, labels, tuple("0123456789"), side)


@lru_cache(maxsize=4)
def fashion_mnist(side: int) -> DataTable:
    """Return Fashion-MNIST, averaged down to side × side pixels in [0, 1].

    Args:
        side: Pixels per side; a divisor of 28.

    Raises:
        Refused: If the file is absent or damaged.
    """
    held = pack_arrays("fashion_mnist_900.npz")
    classes = tuple(str(name) for name in held["classes"])
    return _image_table(held["x"], held["y"], classes, side)


@lru_cache(maxsize=4)
def tabular(name: str) -> DataTable:
    """Return one of the 16 tabular sets.

    Args:
        name: Its name in the file.

    Raises:
        Refused: If the file is absent or damaged.
    """
    held = pack_arrays("tabular.npz")
    classes = json.loads(str(held["meta"]))[name]["classes"]
    x, y = held[f"{name}/X"].astype(np.float64), held[f"{name}/y"]
    if not classes:
        return DataTable(x, y.astype(np.float64))
    return DataTable(x, y.astype(np.int64), tuple(classes))


def _image_table(
    images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], side: int
) -> DataTable:
    block = images.shape[1] // side
    small = images.reshape(len(images), side, block, side, block).mean((2, 4))
    flat = (small / 255.0).reshape(len(images), -1).astype(np.float32)
    return DataTable(flat, labels.astype(np.int64), classes)


def pack_arrays(file: str) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file of the pack, by name.

    Args:
        file: A key of `FILES`.

    Raises:
        Refused: If it is absent or damaged.
    """
    _check_present(file)
    return _read_npz(pack_home() / file, FILES[file].sha256)


def pack_bytes(file: str) -> bytes:
    """Return the bytes of a file of the pack.

    Args:
        file: A key of `FILES`.

    Raises:
        Refused: If it is absent or damaged.
    """
    _check_present(file)
    return read_verified(pack_home() / file, FILES[file].sha256)


def _check_present(file: str) -> None:
    if missing_pack_file(file):
        raise Refused(
            f"this family needs {file} in the data pack: set METASCOPE_DATA to its "
            "folder"
        )


@lru_cache(maxsize=2)
def _read_npz(path: Path, digest: str) -> dict[str, np.ndarray]:
    data = read_verified(path, digest)
    # Never pickle: a data file must not be able to run code.
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}

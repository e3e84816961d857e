"""NAS-Bench-201: 15,625 cells of six edges, each trained on three data sets.

Source: Dong and Yang (2020), arXiv:2001.00326; hardware costs by Li et al. (2021),
arXiv:2103.10584.
Differs: accuracies are means over the published trials; the cost of a training is
its training time alone, because the table has no validation times.
"""

import json
from functools import cache

import numpy as np

from engine.data.sources.architecture_table import ArchitectureTable
from engine.data.sources.data_pack import pack_arrays

FILE = "nasbench201.npz"
EPOCHS = (12.0, 200.0)
SHORT = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}


@cache
def load_nasbench201() -> ArchitectureTable:
    """Return the benchmark as a table of architectures.

    Raises:
        Refused: If the file is not in the data pack, or is damaged.
    """
    held = pack_arrays(FILE)
    meta = json.loads(str(held["meta"]))
    edges = tuple(_parse_edge(name) for name in meta["edges"])
    signal = np.stack([held["val_acc_12"], held["val_acc_200"]], 2)[..., None]
    # Only the time of all 200 epochs is published; epochs take equally long.
    share = np.array([e / EPOCHS[-1] for e in EPOCHS], np.float32)
    properties = {"parameters": held["params_m"], "FLOPs": held["flops_m"]}
    units = {"parameters": "million", "FLOPs": "million"}
    for i, name in enumerate(held["hw_names"]):
        properties[str(name)] = held["hw"][:, :, i].T
        units[str(name)] = "ms" if str(name).endswith("latency") else "as published"
    return ArchitectureTable(
        name="NAS-Bench-201",
        positions=tuple(f"{a}→{b}" for a, b in edges),
        options=(tuple(meta["ops"]),) * len(edges),
        codes=held["ops"],
        tasks=tuple(SHORT.get(name, name) for name in meta["datasets"]),
        fidelities=EPOCHS,
        # Published in percent.
        signal=(signal / 100.0).astype(np.float32),
        score=(held["test_acc_200"] / 100.0).astype(np.float32),
        cost=(held["train_sec_200"][..., None] * share).astype(np.float32),
        properties=properties,
        units=units,
        edges=edges,
        features=np.array([[10, 32], [100, 32], [120, 16]], np.float32),
        feature_names=("classes", "side"),
    )


def _parse_edge(name: str) -> tuple[int, int]:
    start, end = name.split("->")
    return int(start), int(end)

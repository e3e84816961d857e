"""Blocks of numbers ↔ the bytes of an Arrow file; exact, no pickle.

One row per block: its address in plain columns, its numbers as raw
little-endian bytes beside dtype and shape, so every bit comes back.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from engine.contract.blocks import Block, Condition

DTYPES = frozenset(
    f"{kind}{size}"
    for kind, sizes in {"f": "48", "i": "1248", "u": "1248"}.items()
    for size in sizes
) | {"b1"}
_SCHEMA = pa.schema(
    [
        ("learner", pa.string()),
        ("phase", pa.string()),
        ("metric", pa.string()),
        ("family", pa.string()),
        ("shift", pa.string()),
        ("severity", pa.float64()),
        ("axes", pa.list_(pa.string())),
        ("coords", pa.string()),
        ("dtype", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("values", pa.large_binary()),
    ]
)


def encode(blocks: Iterable[Block]) -> bytes:
    """Return an Arrow file that holds the blocks, in their order."""
    table = pa.Table.from_pylist([_flat(block) for block in blocks], _SCHEMA)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode(data: bytes) -> list[Block]:
    """Read the blocks of an Arrow file whose checksum has been verified."""
    table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    return [block_of(fields) for fields in table.to_pylist()]


def header(block: Block) -> dict[str, Any]:
    """Return all of a block but its numbers, as JSON values."""
    array = np.asarray(block.array)
    return {
        "learner": block.learner,
        "phase": block.phase,
        "metric": block.metric,
        "family": block.condition.family,
        "shift": block.condition.shift,
        "severity": float(block.condition.severity),
        "axes": list(block.axes),
        "coords": json.dumps({a: list(at) for a, at in block.coords.items()}),
        "dtype": array.dtype.str[1:],
        "shape": list(array.shape),
    }


def _flat(block: Block) -> dict[str, Any]:
    fields = header(block)
    if fields["dtype"] not in DTYPES:
        raise TypeError(f"a block cannot hold {np.asarray(block.array).dtype}")
    return {**fields, "values": _raw(block.array)}


def _raw(array: Any) -> bytes:
    values = np.asarray(array)
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def block_of(fields: dict[str, Any]) -> Block:
    """Return the block that a header and its raw values describe.

    Raises:
        ValueError: If they do not fit each other.
    """
    shape, dtype = tuple(fields["shape"]), fields["dtype"]
    if dtype not in DTYPES or any(length < 0 for length in shape):
        raise ValueError(f"no block has dtype {dtype!r} and shape {shape}")
    kind = np.dtype("<" + dtype)
    if math.prod(shape) * kind.itemsize != len(fields["values"]):
        raise ValueError(f"{len(fields['values'])} bytes do not fill shape {shape}")
    coords = json.loads(fields["coords"])
    return Block(
        learner=fields["learner"],
        phase=fields["phase"],
        metric=fields["metric"],
        axes=tuple(fields["axes"]),
        array=np.frombuffer(fields["values"], kind).reshape(shape),
        condition=Condition(fields["family"], fields["shift"], fields["severity"]),
        coords={axis: tuple(map(float, at)) for axis, at in coords.items()},
    )


def latest(blocks: Iterable[Block]) -> list[Block]:
    """Keep the newest block of each address, in order of first appearance."""
    newest: dict[tuple[object, ...], Block] = {}
    for block in blocks:
        newest[block.address()] = block
    return list(newest.values())

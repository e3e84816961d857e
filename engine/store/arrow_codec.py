"""Encoding blocks as Arrow files and back: lossless, without pickle.

One row per block: its address in plain columns, its layout (axes, coordinates, dtype,
shape, severity) as JSON, its numbers as raw little-endian bytes.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from engine.contract.events import Block, Condition

DTYPES = frozenset(
    f"{kind}{size}"
    for kind, sizes in {"f": "48", "i": "1248", "u": "1248"}.items()
    for size in sizes
) | {"b1"}
_WORDS = ("learner", "phase", "metric", "family", "shift")


def encode(blocks: Iterable[Block]) -> bytearray:
    """Encode blocks as the bytes of an Arrow file, in their order.

    A long run has tens of megabytes, which are copied as seldom as possible.

    The columns are made from buffers: building them from Python values would import
    pandas into every worker.

    Args:
        blocks: Blocks of any shapes, with a dtype of `DTYPES`.

    Raises:
        TypeError: If an array has another dtype.
    """
    flat = [_as_fields(block) for block in blocks]
    del blocks
    columns = {word: _make_column(pa.large_utf8(), flat, word) for word in _WORDS}
    columns["shape"] = _make_column(pa.large_utf8(), flat, "form")
    columns["values"] = _make_column(pa.large_binary(), flat, "values")
    del flat  # the last that holds the blocks, unless the caller does
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    return _write_file(batch)


def _write_file(batch: pa.RecordBatch) -> bytearray:
    """Return the bytes of a file; a stream that grows would hold them twice."""
    size = pa.MockOutputStream()
    with pa.ipc.new_file(size, batch.schema) as writer:
        writer.write_batch(batch)
    data = bytearray(size.size())
    sink = pa.FixedSizeBufferWriter(pa.py_buffer(data))
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return data


def _make_column(kind: pa.DataType, flat: list[dict[str, Any]], name: str) -> pa.Array:
    items = [_to_buffer(fields[name]) for fields in flat]
    ends = np.cumsum([0, *map(len, items)], dtype=np.int64)
    held = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(items))]
    return pa.Array.from_buffers(kind, len(items), held)


def _to_buffer(item: str | memoryview) -> bytes | memoryview:
    return item.encode() if isinstance(item, str) else item


def decode(data: bytes | bytearray) -> list[Block]:
    """Decode the blocks of an Arrow file.

    Args:
        data: What `encode` returned; its checksum must have been verified.

    Returns:
        The blocks in their order, with read-only arrays of the encoded dtype and shape.
    """
    table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    rows = zip(*(table.column(n).to_pylist() for n in table.column_names), strict=True)
    return [
        _block_of_row(dict(zip(table.column_names, row, strict=True))) for row in rows
    ]


def _block_of_row(fields: dict[str, Any]) -> Block:
    return block_from_fields(fields | json.loads(fields["shape"]))


def block_header(block: Block) -> dict[str, Any]:
    """Return all of a block but its numbers, as JSON values.

    `coords` is itself JSON text; `dtype` is numpy's code without the byte order,
    such as "f4".
    """
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
        "dtype": array.dtype.str[1:],  # without the byte order
        "shape": list(array.shape),
    }


def _as_fields(block: Block) -> dict[str, Any]:
    fields = block_header(block)
    if fields["dtype"] not in DTYPES:
        raise TypeError(f"a block cannot hold {np.asarray(block.array).dtype}")
    form = {name: fields[name] for name in fields if name not in _WORDS}
    return {**fields, "form": json.dumps(form), "values": _raw_bytes(block.array)}


def _raw_bytes(array: Any) -> memoryview:
    """Return the bytes of an array, which are copied only if they lie otherwise."""
    values = np.asarray(array)
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return memoryview(np.ascontiguousarray(little).reshape(-1).view(np.uint8))


def block_from_fields(fields: dict[str, Any]) -> Block:
    """Return the block that a header and its raw values describe.

    Args:
        fields: What `block_header` returned, and `values`, the little-endian bytes.

    Raises:
        ValueError: If the dtype is unknown or the bytes do not fill the shape.
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


def newest_per_address(blocks: Iterable[Block]) -> list[Block]:
    """Return the newest block of each address, in order of first appearance.

    Args:
        blocks: Oldest first.
    """
    newest: dict[tuple[object, ...], Block] = {}
    for block in blocks:
        newest[block.address()] = block
    return list(newest.values())

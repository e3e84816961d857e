"""Packing named arrays and JSON metadata into safetensors bytes and back; no pickle.

The input may come from anywhere: every size is checked against the number of bytes
before an array is made.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as tensors

_HEADER_LIMIT = 100_000_000  # bytes; the limit of safetensors itself
NO_ARRAYS = "it must be a whole file in the safetensors format, with its description"


class InvalidArrays(ValueError):
    """Bytes that are not arrays with JSON metadata."""


def pack(arrays: Mapping[str, Any], info: Mapping[str, Any]) -> bytes:
    """Return named arrays and JSON metadata as bytes.

    Args:
        arrays: numpy arrays of any shape, by name.
        info: A JSON object.
    """
    # safetensors writes a buffer as it lies in memory, so it must be contiguous
    plain = {name: np.array(array, order="C") for name, array in arrays.items()}
    return bytes(tensors.save(plain, metadata={"info": json.dumps(info)}))


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays by name, and the JSON metadata.

    Args:
        data: What `pack` returned, or any other bytes.

    Raises:
        InvalidArrays: If they are not what `pack` returns.
    """
    try:
        arrays = tensors.load(data)
        info = json.loads(_header(data)["__metadata__"]["info"])
    except (SafetensorError, KeyError, TypeError, ValueError, struct.error):
        raise InvalidArrays(NO_ARRAYS) from None
    if not isinstance(info, dict):
        raise InvalidArrays(NO_ARRAYS)
    return arrays, info


def _header(data: bytes) -> Any:
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(_HEADER_LIMIT, len(data)):
        raise ValueError("the header is longer than the file")
    return json.loads(data[8 : 8 + length])

"""Named arrays with JSON beside them ↔ bytes: the safetensors format, no pickle.

The reader trusts nothing: every size is checked against the bytes there are
before an array is made of them.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as tensors

_HEADER_LIMIT = 100_000_000


NO_ARRAYS = "it must be whole arrays in the safetensors format, with their description"


class InvalidArrays(ValueError):
    """Bytes that are no arrays with JSON beside them."""


def pack(arrays: Mapping[str, Any], info: Mapping[str, Any]) -> bytes:
    """Return the bytes of named arrays and of the JSON that goes with them."""
    plain = {name: np.array(array, order="C") for name, array in arrays.items()}
    return bytes(tensors.save(plain, metadata={"info": json.dumps(info)}))


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays and the JSON.

    Raises:
        ValueError: If these are not such bytes, whatever they are.
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

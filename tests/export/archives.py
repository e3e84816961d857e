"""Small archives made by code, and changed by hand, for the tests of imports."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.store import array_codec
from engine.store.row_seals import sha256_hex

Header = dict[str, Any]
BLOCKS = "blocks.safetensors"


def members(data: bytes) -> dict[str, bytes]:
    """Return the members of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_members(held: dict[str, bytes], told: dict[str, str] | None = None) -> bytes:
    """Return an archive of these members, their checksums true but for those told."""
    manifest = json.loads(held["manifest.json"])
    manifest["members"] = {n: sha256_hex(d) for n, d in held.items() if n[:4] != "mani"}
    manifest["members"] |= told or {}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
            **held,
            "manifest.json": json.dumps(manifest).encode(),
        }.items():
            archive.writestr(name, content)
    return out.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    """Return the archive with one member replaced or added."""
    return zip_members(members(data) | {name: content})


def with_json(data: bytes, name: str, change: Callable[[Any], Any]) -> bytes:
    """Return the archive with a JSON member changed."""
    body = json.loads(members(data)[name])
    return with_member(data, name, json.dumps(change(body)).encode())


def with_run(data: bytes, **changed: object) -> bytes:
    """Return the archive with fields of its run changed."""
    return with_json(
        data, "manifest.json", lambda body: body | {"run": body["run"] | changed}
    )


def with_blocks(
    data: bytes, change: Callable[[list[Header], list[np.ndarray]], None]
) -> bytes:
    """Return the archive with the headers and arrays of its blocks changed in place."""
    held, info = array_codec.unpack(members(data)[BLOCKS])
    headers, values = info["blocks"], [held[name] for name in sorted(held)]
    change(headers, values)
    named = {f"{place:06d}": array for place, array in enumerate(values)}
    return with_member(data, BLOCKS, array_codec.pack(named, {"blocks": headers}))


def with_block(
    data: bytes, place: int, array: np.ndarray | None = None, **fields: object
) -> bytes:
    """Return the archive with one block's header changed, and its numbers where given.

    Its shape and dtype are told as they are unless they are given.
    """

    def change(headers: list[Header], values: list[np.ndarray]) -> None:
        if array is not None:
            values[place] = array
            headers[place] |= {
                "shape": list(array.shape),
                "dtype": array.dtype.str[1:],
            }
        headers[place] |= fields

    return with_blocks(data, change)

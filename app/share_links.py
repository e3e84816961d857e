"""Share links: a spec and its run key, encoded in the URL.

A link holds all fields of the spec, compressed, after the version of the link format,
and the run's key: `?x=1.eJy…&run=3f…`; in the demo also the token that opens the run
for others (`share`). Links are untrusted input: sizes are checked
before anything is decoded, decompression is bounded, and the only exception is
`Refused`. A link never starts a run.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from urllib.parse import urlencode

from engine.contract.errors import Refused
from engine.contract.parsing import SPEC_LIMIT, parse_spec
from engine.contract.run_spec import CardLookup, RunSpec, canonical_json

VERSION = 1
PACKED_LIMIT = 64_000
_KEY = re.compile(r"[0-9a-f]{64}")
_SPLIT = re.compile(r"([0-9]{1,6})\.([A-Za-z0-9_-]+)")


def pack(spec: RunSpec) -> str:
    """Return a spec as a short text that is safe in a URL."""
    held = spec.model_dump(mode="json", exclude={"kind"})  # implied by the family
    body = zlib.compress(canonical_json(held), 9)
    return f"{VERSION}.{base64.urlsafe_b64encode(body).decode().rstrip('=')}"


def unpack(text: str, cards: CardLookup | None = None) -> RunSpec:
    """Read a spec that `pack` encoded.

    Args:
        text: The value of the link's parameter `x`.
        cards: Returns the card of (slot, name), to reject misspelled knobs.

    Raises:
        Refused: If the text is anything else; the message is one sentence.
    """
    if len(text) > PACKED_LIMIT:
        raise Refused(
            f"This link has {len(text):,} characters; at most "
            f"{PACKED_LIMIT:,} are allowed.",
            "x",
        )
    found = _SPLIT.fullmatch(text)
    if not found:
        raise Refused("This link is damaged: its experiment cannot be read.", "x")
    if int(found[1]) != VERSION:
        raise Refused(
            f"This link has format {int(found[1])}; this Metascope reads "
            f"format {VERSION}.",
            "x",
        )
    return parse_spec(_inflate(found[2]), cards)


def _inflate(body: str) -> bytes:
    stream = zlib.decompressobj()
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        text = stream.decompress(raw, SPEC_LIMIT)
    # One message for all causes: the remedy is the same, a new link.
    except (zlib.error, binascii.Error, ValueError):
        raise Refused(
            "This link is damaged: its experiment cannot be read.", "x"
        ) from None
    if stream.unconsumed_tail or not stream.eof:
        raise Refused(
            f"This link is truncated or unpacks to more than {SPEC_LIMIT:,} bytes.", "x"
        )
    return text


def check_run_key(text: str) -> str:
    """Return a text that has the form of a run key.

    Raises:
        Refused: For any other text, always with the same sentence.
    """
    if not _KEY.fullmatch(text):
        raise Refused("There is no run with this id.", "run")
    return text


def share_link(base: str, spec: RunSpec, key: str, opener: str = "") -> str:
    """Return the share link of a run.

    Args:
        base: Address of the Lab, such as `http://localhost:8501/`.
        spec: The completed spec, so that every field is in it.
        key: The run's key.
        opener: The token that opens the run for others, in the demo.
    """
    return lab_link(base, {"run": key, "share": opener, "x": pack(spec)})


def lab_link(base: str, parameters: Mapping[str, str]) -> str:
    """Return an address of the Lab; parameters without a value are left out.

    >>> lab_link("http://localhost:8501/lab", {"run": "3f", "share": ""})
    'http://localhost:8501/lab?run=3f'
    """
    root = base.split("?", 1)[0].split("#", 1)[0]
    given = {name: text for name, text in parameters.items() if text}
    return f"{root}?{urlencode(given)}"


def first_value(params: Mapping[str, list[str]], name: str) -> tuple[str | None, bool]:
    """Return a parameter's first value, and whether it was given more than once."""
    values = params.get(name) or []
    return (values[0] if values else None), len(values) > 1

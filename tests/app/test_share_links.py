import base64
import contextlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import share_links
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec

KEY = "3f" * 32


def packed(body: bytes, version: object = share_links.VERSION) -> str:
    text = base64.urlsafe_b64encode(zlib.compress(body, 9)).decode().rstrip("=")
    return f"{version}.{text}"


def test_a_link_holds_every_field_and_the_key(tiny: RunSpec) -> None:
    made = share_links.share_link("http://localhost:8501/lab?tab=x#y", tiny, KEY)
    assert made.startswith(f"http://localhost:8501/lab?run={KEY}&x=1.")
    # The kind follows from the family, so links are as they were without it.
    silent = tiny.model_copy(update={"kind": ""})
    assert share_links.unpack(made.split("&x=")[1]) == silent
    assert share_links.pack(tiny) == share_links.pack(silent)


def test_a_link_holds_looks_and_rival_and_an_old_link_has_neither(
    tiny: RunSpec,
) -> None:
    asked = {"looks": (2, 4), "replicates": 4, "rival": "sgd", "kind": ""}
    spec = tiny.model_copy(update=asked)
    assert share_links.unpack(share_links.pack(spec)) == spec
    old = share_links.unpack(share_links.pack(tiny))
    assert (old.looks, old.rival, old.replicates) == ((), "", tiny.replicates)


def test_a_newer_link_names_both_formats(tiny: RunSpec) -> None:
    newer = share_links.pack(tiny).replace("1.", "9.", 1)
    with pytest.raises(Refused, match=r"format 9.*format 1"):
        share_links.unpack(newer)


def test_a_bomb_is_refused_without_being_inflated() -> None:
    bomb = packed(b" " * 40_000_000)
    assert len(bomb) < share_links.PACKED_LIMIT
    with pytest.raises(Refused, match="unpacks to more than"):
        share_links.unpack(bomb)


def test_a_long_link_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Refused, match="at most 64,000"):
        share_links.unpack("1." + "A" * 1_000_000)


@pytest.mark.parametrize(
    "text",
    ["", "1.", "x", "1.%%%", "1.AAAA", "-1.AA", "99999999.AA", "1.A A", "1.é"],
)
def test_a_damaged_link_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        share_links.unpack(text)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"42",
        b'{"family": 1}',
        b"\xff\xfe",
        b'{"a":1,"a":2}',
        b'{"seed":NaN}',
        b'{"seed":1e400}',
        b"[" * 100_000,
        b'"\\ud800"',
    ],
)
def test_a_link_that_holds_no_spec_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        share_links.unpack(packed(body))


def test_a_cut_link_is_refused(tiny: RunSpec) -> None:
    with pytest.raises(Refused):
        share_links.unpack(share_links.pack(tiny)[:-9])


@pytest.mark.parametrize(
    "text",
    [
        "../../etc/passwd",
        "<script>",
        "\x00",
        "",
        KEY.upper(),
        KEY[2:],
        f"{KEY}\n",
        "%00",
    ],
)
def test_every_bad_run_id_gets_the_same_sentence(text: str) -> None:
    with pytest.raises(Refused, match=r"^There is no run with this id\.$"):
        share_links.check_run_key(text)


def test_the_first_of_repeated_values_counts() -> None:
    assert share_links.first_value({"run": ["a", "b"]}, "run") == ("a", True)
    assert share_links.first_value({"run": ["a"]}, "run") == ("a", False)
    assert share_links.first_value({}, "run") == (None, False)


def only_refused(text: str) -> None:
    for read in (share_links.unpack, share_links.check_run_key):
        with contextlib.suppress(Refused):
            read(text)


hostile = st.one_of(
    st.text(max_size=300),
    st.builds(packed, st.binary(max_size=300), st.integers(0, 3)),
    st.builds(packed, st.text(max_size=300).map(str.encode)),
    st.binary(max_size=200).map(lambda b: f"1.{base64.urlsafe_b64encode(b).decode()}"),
)


@settings(max_examples=300)
@given(hostile)
def test_only_refusals_come_out_of_a_link(text: str) -> None:
    only_refused(text)


@pytest.mark.torture
@settings(max_examples=10_000, deadline=None)
@given(hostile)
def test_only_refusals_come_out_of_ten_thousand_links(text: str) -> None:
    only_refused(text)

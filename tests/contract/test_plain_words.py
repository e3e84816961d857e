"""The user's mistakes are described in plain words, never in those of a library."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine import __main__
from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.parsing import parse_spec
from engine.contract.run_spec import complete_spec
from engine.executors.in_process import settle_spec
from engine.export import read_archive
from tests.contract.test_suggestions import spec
from tests.export.archives import BLOCKS, members, with_member
from tests.export.test_archive_reader import archive  # noqa: F401

GOOD = spec().encode()
SGD = {"name": "sgd"}


def told(text: str | bytes) -> str:
    with pytest.raises(Refused) as caught:
        settle_spec(complete_spec(parse_spec(text, find_card), find_card, "cpu"))
    return caught.value.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learners": [SGD] * 11}, "learners: at most 8, not 11"),
        ({"learners": []}, "learners: at least 1, not 0"),
        ({"learners": {}}, "learners: must be a list, not a JSON object"),
        ({"family": 7}, "family: must be a JSON object, not 7"),
        ({"family": {}}, "family.name: it is missing"),
        ({"seed": "x"}, "seed: must be a whole number, not 'x'"),
        ({"seed": -1}, "seed: must be at least 0, not -1"),
        ({"compile": 1}, "compile: must be true or false, not 1"),
        (
            {"device": "tpu"},
            "device: must be 'auto', 'cpu', 'cuda' or 'mps', not 'tpu'",
        ),
        (
            {"learners": [{"name": "sgd", "label": "a" * 61}]},
            "learners[0].label: at most 60 characters, not 61",
        ),
    ],
)
def test_an_invalid_field_is_refused_in_plain_words(
    changes: dict[str, Any], message: str
) -> None:
    assert told(spec(**changes)) == message


@pytest.mark.parametrize(
    "blank", [b"", b"\xef\xbb\xbf", b"\0" * 9, b" \n", b"\xff\xfe"]
)
def test_a_spec_of_nothing_is_an_empty_file(blank: bytes) -> None:
    assert told(blank) == "this file is empty"


def test_a_spec_that_is_cut_says_so() -> None:
    assert "is cut in the middle" in told(GOOD.decode().encode("utf-16")[:-1])


@pytest.mark.parametrize("place", ["name", "knobs"])
def test_half_of_a_character_is_named(place: str) -> None:
    half = {"name": "\ud800"} if place == "name" else {"name": "a", "\udfff": 1}
    message = told(json.dumps({"family": half, "learners": [SGD]}))
    assert "half of a character" in message and "codec" not in message


def test_a_number_of_5000_digits_is_described_by_their_count() -> None:
    message = told(
        GOOD.replace(b'{"family"', b'{"seed": 1' + b"0" * 4999 + b', "family"')
    )
    assert "5,000 digits" in message


def test_invalid_json_is_refused_with_its_position() -> None:
    assert told('{"family":\n x}') == "this is not JSON: see line 2, column 2"


@pytest.mark.parametrize(
    ("changes", "start", "offered"),
    [
        ({"family": {"name": "mixture"}}, "family.name: ", "mixtures"),
        ({"learners": [{"name": "lr_scal"}]}, "learners[0].name: ", "lr_scale"),
        ({"shifts": [{"name": "strech"}]}, "shifts[0].name: ", "stretch"),
    ],
)
def test_a_misspelled_part_is_refused_with_its_path_and_the_nearest_names(
    changes: dict[str, Any], start: str, offered: str
) -> None:
    message = told(spec(**changes))
    assert message.startswith(start) and f"did you mean {offered!r}" in message
    assert "`python -m engine catalogue` shows all " in message
    assert len(message) < 200


def test_a_learner_of_another_kind_is_refused_in_plain_words() -> None:
    message = told(spec(family={"name": "sinusoids"}))
    assert message == (
        "learners[0].name: lr_scale learns optimizers; sinusoids is a few-shot family"
    )


def test_missing_data_is_refused_with_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    find_card.cache_clear()
    learners = [{"name": "random_search"}]
    try:
        message = told(spec(family={"name": "nasbench201"}, learners=learners))
    finally:
        find_card.cache_clear()
    assert message.startswith("family.name: nasbench201 needs ")
    assert "METASCOPE_DATA" in message


def test_a_refusal_follows_no_empty_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "spec.json"
    file.write_text(spec(family={"name": "sinusoids"}))
    assert __main__.main(["run", str(file), "--out", str(tmp_path / "out")]) == 2
    assert capfd.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (BLOCKS, b"\xff" * 64, "whole file in the safetensors format"),
        ("artefact-000.safetensors", b"", "whole file in the safetensors format"),
        ("summary.json", b"{", "this is not JSON: see line 1, column 2"),
        ("timings.json", b"7", "a list"),
        ("manifest.json", b"[]", "a JSON object"),
        ("fingerprint.json", b'{"versions": 7}', "versions: must be a JSON object"),
    ],
)
def test_an_unreadable_member_is_refused_with_what_it_must_be(
    name: str,
    content: bytes,
    expected: str,
    archive: bytes,  # noqa: F811
) -> None:
    held = members(archive) | {name: content}
    made = with_member(archive, name, content) if name[:4] != "mani" else None
    with pytest.raises(Refused) as refusal:
        read_archive(made or raw(held))
    message = refusal.value.message
    assert message.startswith(f"{name} in this archive: ") and expected in message


def raw(held: dict[str, bytes]) -> bytes:
    """Return a zip of these members, as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in held.items():
            made.writestr(name, content)
    return out.getvalue()

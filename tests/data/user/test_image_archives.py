"""Archives of images: what is read, and what is refused in one sentence."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import Refused
from engine.data.inventory import inventory
from engine.data.sources.checksums import sha256
from engine.data.user import image_archives, image_decoding
from engine.data.user.csv_store import kept_digests
from engine.data.user.image_archives import read_images
from engine.data.user.image_decoding import decode_gray
from engine.data.user.image_store import (
    ARCHIVE,
    load_own_images,
    store_images,
)
from tests.data.user.images import folders as made
from tests.data.user.images import packed, picture

GOOD = made(2, 3)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


def linked() -> bytes:
    file = io.BytesIO(packed(GOOD))
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo("class 00/link.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return file.getvalue()


def twice() -> bytes:
    file = io.BytesIO(packed(GOOD))
    with (
        zipfile.ZipFile(file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        archive.writestr("class 00/0.png", picture(7))
    return file.getvalue()


def encrypted() -> bytes:
    """Set the bit that asks for a password, in both headers of each member."""
    data = bytearray(packed(GOOD))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(mark, start)) >= 0:
            data[start + at] |= 1
            start += 4
    return bytes(data)


def lying() -> bytes:
    """Say in the directory that a large member has three bytes."""
    data = bytearray(packed(GOOD | {"class 00/big.png": b"\0" * 25_000_000}))
    at = data.find(b"PK\x01\x02", data.find(b"class 01/2.png", len(data) // 2))
    start = data.rfind(b"PK\x01\x02")
    assert at <= start
    data[start + 24 : start + 28] = struct.pack("<I", 3)
    return bytes(data)


def damaged() -> bytes:
    data = bytearray(packed(GOOD))
    at = data.find(b"class 01/1.png") + 60
    data[at : at + 40] = bytes(40)
    return bytes(data)


def bomb() -> bytes:
    """Write the header of an image of 60,000 × 60,000 pixels."""
    data = bytearray(picture(1))
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def with_image(data: bytes) -> bytes:
    return packed(GOOD | {"class 00/odd.png": data})


REFUSED = {
    "nothing": (b"", "0 bytes"),
    "a text": (b"a,b\n1,2\n", "not a ZIP archive"),
    "a picture": (picture(1), "not a ZIP archive"),
    "cut": (packed(GOOD)[:-30], "damaged"),
    "no members": (packed({}), "has no images"),
    "no images": (packed({"a/1.txt": b"x"}), "has no images; it may have PNG, JPG"),
    "one class": (packed(made(1, 5)), "one class, 'class 00', with 5 images"),
    "no folder": (packed(GOOD | {"1.png": picture(1)}), "'1.png' is not in a class"),
    "too deep": (
        packed(GOOD | {"a/b/1.png": picture(1)}),
        "'a/b/1.png' is not in a class folder",
    ),
    "a lonely image": (
        packed(GOOD | {"rare/1.png": picture(99)}),
        "class 'rare' has 1 image",
    ),
    "copies alone": (
        packed(GOOD | {f"rare/{i}.png": picture(99) for i in range(3)}),
        "class 'rare' has 1 image; each class needs at least 2 different",
    ),
    "upward": (packed(GOOD | {"../a/1.png": picture(1)}), "outside the archive"),
    "absolute": (packed(GOOD | {"/a/1.png": picture(1)}), "outside the archive"),
    "a link": (linked(), "'class 00/link.png' is a link"),
    "encrypted": (encrypted(), "encrypted"),
    "damaged member": (damaged(), "'class 01/1.png' (is damaged|cannot be read)"),
    "lying size": (lying(), "big.png' (is damaged|cannot be read|has more)"),
    "large member": (
        packed(GOOD | {"class 00/big.png": bytes(25_000_000)}),
        "'class 00/big.png' has 25,000,000 bytes; at most 20,000,000",
    ),
    "one pixel": (
        with_image(picture(1, (1, 1))),
        "'class 00/odd.png' has 1 × 1 pixels; each side must have 4 to 4,096",
    ),
    "one row": (with_image(picture(1, (30, 1))), "30 × 1 pixels"),
    "too wide": (with_image(picture(1, (5000, 4))), "5000 × 4 pixels"),
    "bomb": (with_image(bomb()), "60000 × 60000 pixels|cannot be read"),
    "half an image": (with_image(picture(1)[:300]), "odd.png' cannot be read as an"),
    "no image": (with_image(b"not at all"), "'class 00/odd.png' cannot be read"),
    "PostScript": (with_image(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_archive_that_cannot_be_trusted_is_refused_in_one_sentence(
    case: str,
) -> None:
    data, words = REFUSED[case]
    with pytest.raises(Refused, match=words) as refusal:
        read_images(data)
    assert len(refusal.value.message) < 200
    assert "\n" not in refusal.value.message
    assert kept_digests(ARCHIVE) == []


def test_a_member_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Refused, match=r"'class 00/0\.png' occurs twice"):
        read_images(twice())


def test_an_archive_larger_than_the_limits_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = packed(GOOD)
    with pytest.raises(Refused, match="at most 100 are read"):
        read_images(data, limit=100)
    for name, most, words in (
        ("IMAGES", 5, "6 images; at most 5"),
        ("MEMBERS", 5, "6 members; at most 5"),
        ("CLASSES", 1, "2 classes; at most 1"),
        ("PIXELS", 3000, "more than 3,000 pixels in all"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(image_archives, name, most)
            with pytest.raises(Refused, match=words):
                read_images(data)


@pytest.mark.parametrize("around", ["", "all/", "all/train/"])
def test_classes_are_the_folders_whatever_lies_around_them(around: str) -> None:
    junk = {f"{around}.DS_Store": b"x", "__MACOSX/class 00/._0.png": b"x"}
    found = read_images(packed(made(3, 4, around) | junk))
    assert found.names == ("class 00", "class 01", "class 02")
    assert found.counts().tolist() == [4, 4, 4]
    assert found.images.shape == (12, 28, 28) and found.images.dtype == np.uint8
    assert found.warnings == ()


def test_several_sizes_duplicates_and_other_files_give_warnings() -> None:
    data = made(2, 3) | {
        "class 00/wide.png": picture(50, (105, 60)),
        "class 00/copy.png": picture(0),
        "class 00/notes.txt": b"x",
        "class 01/same.png": picture(1),
    }
    found = read_images(packed(data))
    told = " | ".join(found.warnings)
    assert "1 image is left out: the class has the same" in told
    assert "2 sizes, from 30 × 40 to 105 × 60" in told
    assert (
        "1 files are not images and are ignored, such as 'class 00/notes.txt'" in told
    )
    assert "occur in two classes" in told
    assert found.counts().tolist() == [4, 4]


def drawn(pixels: np.ndarray, mode: str | None = None, kind: str = "PNG") -> np.ndarray:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind)
    return decode_gray(file.getvalue(), "x.png", 28).pixels


def test_a_larger_image_is_averaged_block_by_block() -> None:
    draw = np.random.Generator(np.random.Philox(key=3))
    large = draw.integers(0, 256, (56, 84), np.uint8)
    wanted = large.reshape(28, 2, 28, 3).mean((1, 3))
    np.testing.assert_allclose(drawn(large), wanted, atol=1.0)
    same = large[:28, :28]
    np.testing.assert_array_equal(drawn(same), same)


def test_color_depth_and_transparency_become_gray_on_white() -> None:
    square = np.zeros((28, 28), np.uint8)
    color = np.stack([square + 200, square + 100, square + 50], -1)
    luma = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    assert abs(int(drawn(color)[0, 0]) - luma) <= 1
    clear = np.concatenate([color, square[..., None]], -1)
    assert (drawn(clear) == 255).all()
    deep = np.full((28, 28), 32768, np.uint16)
    assert (np.abs(drawn(deep).astype(int) - 128) <= 1).all()
    assert (drawn(square + 77, "1") <= 255).all()
    for kind in ("JPEG", "BMP", "GIF", "WEBP"):
        assert (np.abs(drawn(square + 90, kind=kind).astype(int) - 90) <= 3).all()


def test_the_largest_and_smallest_allowed_sizes_are_read() -> None:
    least = decode_gray(
        picture(1, (image_decoding.LEAST, image_decoding.LEAST)), "x", 28
    )
    assert least.pixels.shape == (28, 28)
    wide = decode_gray(picture(1, (image_decoding.MOST, 4)), "x", 28)
    assert wide.size == (4096, 4)


def test_an_archive_is_kept_under_its_digest_and_read_again(home: Path) -> None:
    data = packed(GOOD)
    digest = store_images(read_images(data))
    assert digest == sha256(data)
    assert kept_digests(ARCHIVE) == [digest]
    assert load_own_images(digest).names == ("class 00", "class 01")
    (entry,) = [e for e in inventory() if e["sha256"] == digest]
    assert entry["state"] == "present" and entry["families"] == ["own_images"]
    assert Path(entry["where"], entry["file"]).read_bytes() == data
    with pytest.raises(Refused, match="needs the file with sha256"):
        load_own_images("0" * 64)

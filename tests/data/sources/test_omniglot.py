import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import Refused
from engine.data.sources import data_pack, omniglot, omniglot_zip_reader
from engine.data.sources.omniglot_zip_reader import read_drawings
from engine.data.sources.resize import block_average

needs = pytest.mark.parametrize
SMALL = "images_background_small1.zip"


def png(size: tuple[int, int] = (105, 105), mode: str = "1") -> bytes:
    """Return a white drawing with a black square in its upper left corner."""
    image = Image.new(mode, size, "white")
    image.paste("black", (0, 0, 15, 15))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def vast() -> bytes:
    """Return a drawing that says that it has 11,000 × 11,000 pixels."""
    told = b"IHDR" + struct.pack(">II", 11_000, 11_000) + PLAIN[24:29]
    return PLAIN[:12] + told + struct.pack(">I", zlib.crc32(told)) + PLAIN[33:]


PLAIN = png()


def members(characters: int = 2, drawers: int = 20) -> dict[str, bytes]:
    """Return an archive's members as upstream names them."""
    return {
        f"images_x/Latin/character{c:02}/{c:04}_{d:02}.png": PLAIN
        for c in range(1, characters + 1)
        for d in range(1, drawers + 1)
    }


def zipped(held: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("images_x/Latin/", b"")
        for name, data in held.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_drawings_are_averaged_and_their_ink_is_bright() -> None:
    read = read_drawings(zipped(members()))
    assert read.images.shape == (2, 20, 28, 28)
    assert read.alphabet == ("Latin", "Latin") and read.number == (1, 2)
    assert (read.images[:, :, :4, :4] == 255).all()  # 15 of 105 are 4 of 28 pixels
    assert (read.images[:, :, 4:] == 0).all() and (read.images[:, :, :, 4:] == 0).all()


@pytest.mark.pack
@needs("packed", [SMALL], indirect=True)
def test_the_real_archive_gives_the_packed_array_bit_for_bit(packed: str) -> None:
    read = read_drawings(data_pack.pack_bytes(packed))
    every = omniglot.load_characters(28)
    names = [every.names[place] for place in every.alphabet]
    for alphabet in set(read.alphabet):
        rows = [row for row, name in enumerate(read.alphabet) if name == alphabet]
        same = [row for row, name in enumerate(names) if name == alphabet]
        np.testing.assert_array_equal(read.images[rows], every.images[same])
    assert len(read.number) == 136 and len(set(read.alphabet)) == 5


@pytest.mark.pack
@needs("packed", ["omniglot28.npz"], indirect=True)
def test_two_archives_are_the_packed_set(packed: str) -> None:
    every = omniglot.load_characters(28)

    def part(rows: np.ndarray) -> omniglot_zip_reader.DrawingArchive:
        names = [every.names[place] for place in every.alphabet[rows]]
        number = [1 + names[:at].count(name) for at, name in enumerate(names)]
        return omniglot_zip_reader.DrawingArchive(
            every.images[rows], tuple(names), tuple(number)
        )

    outside = every.evaluation
    made = omniglot.join_archives(
        part(np.flatnonzero(~outside)), part(np.flatnonzero(outside))
    )
    assert made.names == every.names
    for one, two in (
        (made.vinyals, every.vinyals),
        (made.alphabet, every.alphabet),
        (made.evaluation, every.evaluation),
    ):
        np.testing.assert_array_equal(one, two)


@pytest.mark.pack
@needs("packed", ["omniglot28.npz"], indirect=True)
@needs("split", ["vinyals", "author", "mixed"])
def test_no_character_is_in_two_pools(packed: str, split: str) -> None:
    found = omniglot.split_pools(split)
    every = np.concatenate(list(found.values()))
    assert len(every) == len(set(every.tolist())) == 1623
    sizes = {"vinyals": [1028, 172, 423], "author": [792, 172, 659]}
    if split in sizes:
        assert [len(pool) for pool in found.values()] == sizes[split]
        return
    alphabet = omniglot.load_characters(28).alphabet
    known = set(alphabet[found["train"]])
    assert len(known) == 40 and not known & set(alphabet[found["held_out"]])
    assert set(alphabet[found["test"]]) == set(alphabet[found["validation"]]) == known


def _without_drawing(held: dict[str, bytes]) -> dict[str, bytes]:
    return dict(list(held.items())[:-1])


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty file": (lambda: b"", "not a readable ZIP archive"),
    "no zip": (lambda: b"GIF89a" * 50, "not a readable ZIP archive"),
    "cut off": (lambda: zipped(members())[:-3000], "or it is truncated"),
    "empty archive": (lambda: zipped({}), "holds no drawings"),
    "one class": (
        lambda: zipped(members(1)),
        "only Latin/character01; at least 2 characters",
    ),
    "a drawing short": (
        lambda: zipped(_without_drawing(members())),
        "Latin/character02 has 19 drawings; each character must have 20",
    ),
    "path traversal": (
        lambda: zipped(members() | {"../../x/character01/0001_01.png": PLAIN}),
        r"'\.\./\.\./x/character01/0001_01\.png', which is no drawing",
    ),
    "absolute": (
        lambda: zipped(members() | {"/etc/character01/0001_01.png": PLAIN}),
        "'/etc/character01/0001_01.png', which is no drawing",
    ),
    "a program": (lambda: zipped(members() | {"a/run.sh": b"#!"}), "no drawing"),
    "other size": (
        lambda: zipped(
            members() | {"images_x/Latin/character02/0002_20.png": png((28, 28))}
        ),
        "0002_20.png' in this archive has 28 × 28 pixels in mode 1; .* 105 × 105",
    ),
    "one pixel": (
        lambda: zipped(
            members() | {"images_x/Latin/character02/0002_20.png": png((1, 1))}
        ),
        "has 1 × 1 pixels",
    ),
    "a vast image": (
        lambda: zipped(members() | {"images_x/Latin/character02/0002_20.png": vast()}),
        "has 11000 × 11000 pixels",
    ),
    "in color": (
        lambda: zipped(
            members() | {"images_x/Latin/character02/0002_20.png": png(mode="RGB")}
        ),
        "in mode RGB",
    ),
    "no image": (
        lambda: zipped(
            members() | {"images_x/Latin/character02/0002_20.png": b"\x89PNG"}
        ),
        "0002_20.png' in this archive cannot be read as an image",
    ),
    "half an image": (
        lambda: zipped(
            members() | {"images_x/Latin/character02/0002_20.png": PLAIN[:60]}
        ),
        "cannot be read as an image",
    ),
    "too long": (
        lambda: zipped(
            members() | {"images_x/Latin/character02/0002_20.png": bytes(20_001)}
        ),
        "has 20,001 bytes; a drawing has at most 20,000",
    ),
}


@needs("name", BAD)
def test_a_bad_archive_is_refused_in_one_sentence(name: str) -> None:
    make, told = BAD[name]
    with pytest.raises(Refused, match=told) as refusal:
        read_drawings(make())
    assert "\n" not in str(refusal.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for _ in range(2):
            archive.writestr("a/Latin/character01/0001_01.png", PLAIN)
    with pytest.raises(Refused, match="twice"):
        read_drawings(out.getvalue())


def test_a_link_and_a_secret_are_refused() -> None:
    link = zipfile.ZipInfo("a/Latin/character01/0001_01.png")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, b"/etc/passwd")
    with pytest.raises(Refused, match="is a link"):
        read_drawings(out.getvalue())
    data = bytearray(zipped(members()))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of the last member
    with pytest.raises(Refused, match="encrypted"):
        read_drawings(bytes(data))


def test_a_bomb_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(omniglot_zip_reader, "UNPACKED", 1_000)
    with pytest.raises(Refused, match="this archive unpacks to 41 members of"):
        read_drawings(zipped(members()))
    monkeypatch.setattr(omniglot_zip_reader, "BYTES", 100)
    with pytest.raises(Refused, match="at most 100 are read"):
        read_drawings(zipped(members()))


def test_blocks_are_averaged() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 28, 28), np.uint8)
    small = block_average(images, 14)
    truth = images.reshape(3, 2, 14, 2, 14, 2).mean((3, 5))
    assert small.dtype == np.uint8 and np.abs(small - truth).max() <= 0.5
    assert block_average(images, 28) is images

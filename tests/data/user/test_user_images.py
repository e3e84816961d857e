"""Images as people have them: one judgment for folders and archives of any layout."""

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.user.image_archives import read_images
from engine.data.user.image_preparation import (
    ImageChoices,
    PreparedImages,
    prepare_image_path,
    prepare_images,
)
from engine.data.user.image_store import store_images
from engine.tasks.few_shot.own_images import OwnImages
from tests.data.user.images import folders, packed, picture
from tests.data.user.test_image_archives import REFUSED

GOOD = folders(3, 4)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


def written(home: Path, members: Mapping[str, bytes]) -> Path:
    for name, data in members.items():
        path = home / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return home / "mine"


def told(ready: PreparedImages) -> str:
    return " | ".join(ready.remarks)


def test_a_plain_archive_is_stored_as_it_is() -> None:
    ready = prepare_images(packed(GOOD))
    assert not ready.changed and ready.archive.data == packed(GOOD)
    assert ready.remarks == () and ready.summary == "3 of 3 classes, 12 of 12 images"


LAYOUTS = {
    "one class deeper": {
        name.replace("class 01/", "class 01/more/"): data for name, data in GOOD.items()
    },
    "wrapped": {f"all/mine/{name}": data for name, data in GOOD.items()},
    "stray image": GOOD | {"top.png": picture(77)},
    "other files": GOOD | {"class 00/list.txt": b"x", "notes.md": b"x"},
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_a_folder_and_an_archive_of_it_are_judged_alike(case: str, home: Path) -> None:
    one = prepare_images(packed(LAYOUTS[case]))
    two = prepare_image_path(written(home, LAYOUTS[case]))
    again = prepare_image_path(home / "mine")
    assert two.archive.digest == again.archive.digest
    assert one.remarks == two.remarks
    assert (
        one.archive.names
        == two.archive.names
        == tuple(f"class {c:02}" for c in range(3))
    )
    np.testing.assert_array_equal(one.archive.images, two.archive.images)
    assert "stray" not in case or "1 image is in no class folder" in told(one)
    assert "other" not in case or "2 files are no image and left out" in told(one)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_linked_class_is_taken_and_a_circle_refused(home: Path) -> None:
    mine = written(home, GOOD)
    (mine / "class 02").rename(home / "elsewhere")
    (mine / "class 02").symlink_to(home / "elsewhere")
    ready = prepare_image_path(mine)
    assert ready.archive.counts().tolist() == [4, 4, 4]
    assert "links are followed, such as 'class 02'" in told(ready)
    (mine / "class 01" / "loop").symlink_to(mine)
    with pytest.raises(Refused, match="is a link to a folder around it"):
        prepare_image_path(mine)


def test_images_beside_each_other_are_refused_with_the_remedy(home: Path) -> None:
    flat = {f"{i}.png": picture(i) for i in range(4)} | {"labels.csv": b"x"}
    cases = {"in no class folder": flat, "in one folder, 'all'": {}}
    cases["in one folder, 'all'"] = {f"all/{name}": flat[name] for name in flat}
    for where, files in cases.items():
        with pytest.raises(Refused, match="make a folder for each class") as refusal:
            prepare_images(packed(files))
        assert f"all 4 images are {where}" in refusal.value.message
        assert "labels.csv' may say which" in refusal.value.message


def test_a_link_that_was_packed_as_text_is_named_with_what_it_links_to() -> None:
    ready = prepare_images(packed(GOOD | {"birds": b"../target/birds"}))
    assert "'birds' is a link that was packed as text" in told(ready)
    assert "'../target/birds', is left out" in told(ready)
    other = prepare_images(packed(GOOD | {"LICENSE": b"MIT, see https://x.org/mit"}))
    assert "1 file is no image and left out, such as 'LICENSE'" in told(other)


def test_a_class_without_a_readable_image_is_named() -> None:
    ready = prepare_images(packed(GOOD | {"birds/0.heic": b"x", "birds/1.AVIF": b"x"}))
    assert "2 images are of a kind that is not read and left out" in told(ready)
    assert "convert them to PNG or JPEG" in told(ready)
    assert ready.summary == "3 of 3 classes, 12 of 14 images"
    stray = prepare_images(packed(GOOD | {"stray.png": GOOD[next(iter(GOOD))]}))
    assert "1 image is in no class folder and left out" in told(stray)
    assert stray.summary == "3 of 3 classes, 12 of 13 images"
    assert "no image" not in told(ready).replace("no images that can be read", "")
    assert "1 folder has no images that can be read: 'birds'" in told(ready)


def drawn(pixels: np.ndarray, kind: str, mode: str | None = None) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind)
    return file.getvalue()


def noise(seed: int, top: int = 256, kind: type = np.uint8) -> np.ndarray:
    draw = np.random.Generator(np.random.Philox(key=seed))
    return draw.integers(0, top, (28, 28)).astype(kind)


def test_jpeg_of_other_names_tiff_and_palettes_are_images() -> None:
    data = {
        **{f"a/{i}.jfif": drawn(noise(i), "JPEG") for i in range(3)},
        **{f"b/{i}.tif": drawn(noise(10 + i), "TIFF") for i in range(3)},
        **{f"c/{i}.gif": drawn(noise(20 + i), "GIF", "P") for i in range(3)},
        **{f"d/{i}.webp": drawn(noise(30 + i), "WEBP", "RGB") for i in range(3)},
    }
    ready = prepare_images(packed(data))
    assert ready.archive.counts().tolist() == [3, 3, 3, 3]
    np.testing.assert_array_equal(ready.archive.images[3], noise(10))
    # What is stored is read by the reader of all releases.
    same = read_images(ready.archive.data)
    np.testing.assert_array_equal(same.images, ready.archive.images)


@pytest.mark.parametrize(("top", "white"), [(250, 255), (4000, 4095), (60000, 65535)])
def test_more_than_8_bits_are_scaled_by_the_range_that_is_used(
    top: int, white: int
) -> None:
    deep = {
        f"{c}/{i}.png": noise(9 * i + ord(c), top, np.uint16)
        for c in "ab"
        for i in range(3)
    }
    ready = prepare_images(packed({n: drawn(p, "PNG") for n, p in deep.items()}))
    wanted = deep["a/0.png"] * (255.0 / white)
    np.testing.assert_allclose(ready.archive.images[0], wanted, atol=0.51)
    assert (f"{white} is read as white" in told(ready)) == (white < 65535)


def test_all_bad_images_are_named_at_once_and_left_out_by_choice() -> None:
    bad = GOOD | {
        "class 00/html.png": b"<html>",
        "class 01/empty.png": b"",
        "class 02/half.png": picture(1)[:200],
        "lonely/0.png": picture(5000),
    }
    with pytest.raises(Refused, match="3 of 16 images cannot be read") as refusal:
        prepare_images(packed(bad))
    for name in ("html.png", "empty.png", "half.png"):
        assert name in refusal.value.message
    assert refusal.value.field == "leave_out"
    ready = prepare_images(packed(bad), ImageChoices(leave_out=True))
    assert ready.summary == "3 of 4 classes, 12 of 16 images"
    assert "1 class has fewer than 2 different images: 'lonely' with 1" in told(ready)


def test_near_copies_are_told_and_left_out_by_choice() -> None:
    draw = np.random.Generator(np.random.Philox(key=1))
    data = {}
    for name in "ab":
        for i in range(5):
            smooth = Image.fromarray(draw.integers(0, 256, (5, 5), np.uint8))
            pixels = np.asarray(smooth.resize((28, 28), Image.Resampling.BICUBIC))
            data[f"{name}/{i}.png"] = drawn(pixels, "PNG")
            data[f"{name}/{i}x.jpg"] = drawn(pixels, "JPEG")
    ready = prepare_images(packed(data))
    assert "10 images are near copies within their class, such as 'a/0" in told(ready)
    assert ready.archive.counts().tolist() == [10, 10]
    without = prepare_images(packed(data), ImageChoices(drop_copies=True))
    assert without.archive.counts().tolist() == [5, 5]
    assert "near copies" not in told(prepare_images(packed(GOOD)))


def split(names: Mapping[str, tuple[int, ...]]) -> dict[str, bytes]:
    return {
        f"{pool}/c{c}/{i}.png": picture(100 * c + i)
        for pool, classes in names.items()
        for c in classes
        for i in range(4)
    }


def test_folders_of_train_val_and_test_are_the_pools() -> None:
    ready = prepare_images(
        packed(split({"train": (0, 1, 2), "val": (3, 4), "test": (5, 6)}))
    )
    assert ready.archive.pools == ("train",) * 3 + ("validation",) * 2 + ("test",) * 2
    family = OwnImages(digest=store_images(ready.archive), shots=1, queries=1, ways=2)
    family = family.model_copy(update={"queries": 3})
    family.check()
    assert set(family.class_pool("test").members) == {5, 6}
    assert family.sample(Rng(0), "validation").outputs == 2
    two = prepare_images(packed(split({"train": tuple(range(6)), "test": (6, 7)})))
    assert two.archive.pools.count("validation") == 2
    assert "a third of the training classes is for validation" in told(two)
    same = prepare_images(packed(split({"train": (0, 1), "test": (0, 1)})))
    assert same.archive.pools == ()
    assert "2 classes, such as 'c0', are in more than one of" in told(same)


def test_classes_two_folders_deep_are_named_by_their_path() -> None:
    data = {
        f"images_background/{a}/{c}/{i}.png": picture(
            len(c + c) * 100 + ord(a[0]) * 9 + ord(c[0]) + 50 * i
        )
        for a in ("Greek", "Latin")
        for c in ("one", "two")
        for i in range(3)
    }
    names = prepare_images(packed(data)).archive.names
    assert names[:2] == ("Greek - one", "Greek - two") and len(names) == 4


def renamed(members: Mapping[str, bytes], change: tuple[bytes, bytes]) -> bytes:
    """Pack members, and change their names in the bytes, as another program would."""
    return packed(members).replace(*change)


def test_archives_of_any_maker_are_read() -> None:
    slashes = renamed(GOOD, (b"class 00/", b"class 00\\"))
    ready = prepare_images(slashes)
    assert ready.archive.names[0] == "class 00"
    assert "4 names have backslashes" in told(ready)
    # macOS packs names in UTF-8 and does not say so.
    data = renamed(GOOD, (b"class 00/", "cl\u00e4ss00/".encode()))
    assert "cl\u00e4ss00" in prepare_images(data).archive.names
    with pytest.raises(Refused, match="outside the archive"):
        prepare_images(packed(GOOD | {"..\\x\\1.png": picture(1)}))


@pytest.mark.parametrize("case", sorted(set(REFUSED) - {"no folder", "too deep"}))
def test_what_cannot_be_trusted_is_refused_in_one_sentence(case: str) -> None:
    with pytest.raises(Refused) as refusal:
        prepare_images(REFUSED[case][0])
    assert len(refusal.value.message) < 250 and "\n" not in refusal.value.message


def test_a_member_that_is_there_twice_is_refused() -> None:
    file = io.BytesIO(packed(GOOD))
    with (
        zipfile.ZipFile(file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        archive.writestr("class 00/0.png", picture(7))
    with pytest.raises(Refused, match="occurs twice"):
        prepare_images(file.getvalue())


def test_a_small_class_that_makes_all_tasks_small_is_named() -> None:
    few = folders(4, 12)
    name = next(iter(few)).split("/")[0]
    held = [path for path in few if path.startswith(f"{name}/")]
    ready = prepare_images(packed({p: d for p, d in few.items() if p not in held[2:]}))
    assert f"the 2 images of '{name}' make all tasks small: 1 to learn" in told(ready)
    assert "without this class it is 4 and 8" in told(ready)
    assert "make all tasks small" not in told(prepare_images(packed(few)))

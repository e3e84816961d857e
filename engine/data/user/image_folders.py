"""From the paths of images to classes and pools: one judgment for every layout."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.class_splits import POOLS
from engine.data.user.data_splits import name_pools, pool_of_word
from engine.data.user.image_archives import KINDS
from engine.data.user.image_files import FileList, ImageFile
from engine.data.user.wording import are

# What the reader of stored archives does not know is stored in a format that it does.
SAME_BYTES = (".jfif", ".jpe")  # JPEG under other names
REDRAWN = (".tif", ".tiff", ".pgm", ".ppm", ".pbm")
# Images, but of kinds that no reader here knows.
UNREAD = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".dcm", ".raw")
IMAGE_KINDS = (*KINDS, *SAME_BYTES, *REDRAWN)
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".json")  # that may list labels
_LINK = re.compile(r"\.{0,2}(?:[/\\]?[^/\\\s\"<>|:]+)*[/\\][^/\\\s\"<>|:]+[/\\]?")
_LINKED = 260  # bytes, the longest usual path
_NAMED = 3  # files or folders that a remark names


@dataclass
class ImageLayout:
    """Which class and pool each image is of.

    Args:
        classes: The images of each class, by name, sorted.
        pools: The pool of each class; empty if the folders say nothing.
        remarks: What was left out, or joined, one sentence each.
        plain: Whether the paths are those that the reader of archives expects.
        unused: Number of images in no class folder, or of a kind that is not read.
    """

    classes: dict[str, list[ImageFile]]
    pools: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    plain: bool = True
    unused: int = 0


def find_layout(found: FileList) -> ImageLayout:
    """Judge which folders are classes, and which are pools.

    Args:
        found: The files.

    Raises:
        Refused: If there are no images.
    """
    images = [f for f in found.files if f.name.lower().endswith(IMAGE_KINDS)]
    if not images:
        kinds = ", ".join(kind[1:].upper() for kind in IMAGE_KINDS)
        raise Refused(f"there are no images; they may be {kinds}")
    depth = _shared_depth([image.path for image in images])
    pooled = {pool_of_word(i.path[depth]) for i in images if len(i.path) > depth + 2}
    layout = ImageLayout({})
    if {"train", "test"} <= pooled:
        _sort_by_pool(images, depth, layout)
    else:
        layout.classes, strays = _sort_classes(images, depth)
        layout.remarks += _describe_strays(strays)
        layout.plain = not strays and all(
            len(image.path) == depth + 2 for image in images
        )
    unread = sum(f.name.lower().endswith(UNREAD) for f in found.files)
    classed = sum(map(len, layout.classes.values()))
    layout.unused = len(images) - classed + unread
    _check_folders(found, images, layout)
    layout.remarks += _describe_others(found, layout)
    return layout


def _check_folders(
    found: FileList, images: Sequence[ImageFile], layout: ImageLayout
) -> None:
    """Check that images lie in folders of classes.

    Raises:
        Refused: If there is no such folder, or only one; the remedy is named.
    """
    if len(layout.classes) > 1:
        return
    where = "in no class folder"
    if layout.classes:
        where = f"in one folder, {next(iter(layout.classes))[:40]!r}"
    tables = [f.name for f in found.files if f.name.lower().endswith(_TABLES)]
    told = (
        f"; {clean(tables[0])[-40:]!r} may say which are of a class" if tables else ""
    )
    raise Refused(
        f"all {len(images):,} images are {where}: make a folder for each class, at "
        f"least 2, and move its images there{told}"
    )


def _shared_depth(paths: Sequence[tuple[str, ...]]) -> int:
    """Return the number of folders that enclose all classes."""
    first, depth = paths[0], 0
    while all(len(p) > depth + 2 and p[depth] == first[depth] for p in paths):
        depth += 1
    return depth


def _sort_classes(
    images: Sequence[ImageFile], depth: int
) -> tuple[dict[str, list[ImageFile]], list[ImageFile]]:
    """Return the images by class, and those that are in no class folder.

    The usual depth of a folder with images is that of the classes; what lies deeper
    belongs to the class around it.
    """
    leaves = {image.path[depth:-1] for image in images}
    counts = Counter(len(leaf) for leaf in leaves if leaf)
    usual = max(counts, key=lambda n: (counts[n], -n)) if counts else 1
    classes: dict[str, list[ImageFile]] = {}
    strays = []
    for image in images:
        folders = image.path[depth:-1]
        if len(folders) < usual:
            strays.append(image)
            continue
        name = clean(" - ".join(folders[:usual]))
        classes.setdefault(name, []).append(image)
    return dict(sorted(classes.items())), strays


def _sort_by_pool(images: Sequence[ImageFile], depth: int, layout: ImageLayout) -> None:
    """Sort images whose first folders are train, validation and test."""
    layout.plain = False
    by_pool: dict[str, list[ImageFile]] = {}
    for image in images:
        inside = len(image.path) > depth + 1
        word = pool_of_word(image.path[depth]) if inside else ""
        by_pool.setdefault(word, []).append(image)
    layout.remarks += _describe_strays(by_pool.pop("", []))
    for pool in POOLS:
        classes, strays = _sort_classes(by_pool.get(pool, []), depth + 1)
        layout.remarks += _describe_strays(strays)
        for name, members in classes.items():
            layout.classes.setdefault(name, []).extend(members)
            known = layout.pools.setdefault(name, pool)
            if known != pool:
                layout.pools[name] = "several"
    layout.classes = dict(sorted(layout.classes.items()))
    _settle_pools(layout)


def _settle_pools(layout: ImageLayout) -> None:
    """Keep the pools of the folders if they can be those of a few-shot experiment."""
    several = [name for name, pool in layout.pools.items() if pool == "several"]
    numbers = [POOLS.index(p) if p in POOLS else -1 for p in layout.pools.values()]
    names = name_pools(numbers)
    pools = dict(zip(layout.pools, names, strict=True))
    short = [pool for pool in POOLS if names.count(pool) < 2]
    if several:
        layout.remarks.append(
            f"{len(several):,} classes, such as {several[0][:40]!r}, are in more than "
            "one of train, validation and test; few-shot pools have classes of their "
            "own, so that images are joined by class and classes are divided at random"
        )
    elif short:
        layout.remarks.append(
            f"the folders give fewer than 2 classes for {' and '.join(short)}; classes "
            "are divided at random"
        )
    usable = not several and not short
    if usable and "validation" not in layout.pools.values():
        layout.remarks.append("a third of the training classes is for validation")
    layout.pools = pools if usable else {}


def _written_link(file: ImageFile) -> str:
    """Return the path that a file holds in place of a link; empty for other files.

    Git does so on Windows, and ZIP programs that know no links.
    """
    if "." in file.path[-1] or not 0 < file.size <= _LINKED:
        return ""
    text = file.read().decode("utf-8", "replace")
    return text if _LINK.fullmatch(text) else ""


def _describe_strays(strays: Sequence[ImageFile]) -> Iterator[str]:
    if strays:
        yield (
            f"{are(len(strays), 'image')} in no class folder and left out, such as "
            f"{clean(strays[0].name)[-60:]!r}"
        )


def _describe_others(found: FileList, layout: ImageLayout) -> Iterator[str]:
    """Yield remarks on files that are no images, and on folders without any."""
    others = [f for f in found.files if not f.name.lower().endswith(IMAGE_KINDS)]
    links = {f.name: path for f in others if (path := _written_link(f))}
    for name, path in list(links.items())[:_NAMED]:
        yield (
            f"{clean(name)[-60:]!r} is a link that was packed as text: what it links "
            f"to, {clean(path)[:60]!r}, is left out; copy the files into its place"
        )
    unread = [f for f in others if f.name.lower().endswith(UNREAD)]
    if unread:
        yield (
            f"{are(len(unread), 'image')} of a kind that is not read and left out, "
            f"such as {clean(unread[0].name)[-60:]!r}; convert them to PNG or JPEG"
        )
    others = [f for f in others if f.name not in links and f not in unread]
    if others:
        yield (
            f"{are(len(others), 'file')} no image and left out, such as "
            f"{clean(others[0].name)[-60:]!r}"
        )
    used = {
        image.path[:end]
        for members in layout.classes.values()
        for image in members
        for end in range(len(image.path))
    }
    bare = sorted(f for f in found.folders if f and f not in used and f[:-1] in used)
    if bare:
        listed = ", ".join(repr(clean("/".join(f))[-40:]) for f in bare[:_NAMED])
        more = f" and {len(bare) - _NAMED:,} more" if len(bare) > _NAMED else ""
        noun = "folder has" if len(bare) == 1 else "folders have"
        yield f"{len(bare):,} {noun} no images that can be read: {listed}{more}"

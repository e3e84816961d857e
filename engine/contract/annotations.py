"""The user's own words on a run: tags and a note, cleaned and limited."""

from collections.abc import Iterable
from typing import NamedTuple

from engine.contract.text_decoding import clean

MOST_TAGS, TAG_LIMIT, NOTE_LIMIT = 12, 40, 2_000  # tags, and characters


class Annotations(NamedTuple):
    """A run's tags, in the order given, and its note."""

    tags: tuple[str, ...] = ()
    note: str = ""


def clean_annotations(tags: Iterable[str], note: str) -> Annotations:
    r"""Return tags and note without invisible characters, cut to their limits.

    A comma separates tags where they are typed, so none contains one.

    >>> clean_annotations(["a\u202eb", " ", "ab", "c,d"], "one\ntwo\x00")
    Annotations(tags=('ab', 'c d'), note='one\ntwo')
    """
    kept = dict.fromkeys(
        clean(" ".join(tag.replace(",", " ").split()), TAG_LIMIT) for tag in tags
    )
    lines = (clean(line, NOTE_LIMIT) for line in note[: 2 * NOTE_LIMIT].splitlines())
    text = "\n".join(lines).strip()
    return Annotations(tuple(filter(None, kept))[:MOST_TAGS], text[:NOTE_LIMIT])

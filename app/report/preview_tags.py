"""What a page says of itself to search engines, and where a link to it is previewed."""

from typing import NamedTuple

from app.widgets.escaping import escape_html

TITLE_LENGTH, DESCRIPTION_LENGTH = 120, 300  # characters; previews cut longer ones
SITE_NAME = "Metascope"


class Preview(NamedTuple):
    """A page as a preview shows it; all plain text.

    Args:
        title: Its title.
        description: One or two sentences.
        image: Address of a picture; empty for none.
        address: Its own address; empty where it is not known.
        is_article: Whether it is about one thing, such as a run.
    """

    title: str
    description: str
    image: str = ""
    address: str = ""
    is_article: bool = False


def preview_tags(preview: Preview) -> str:
    """Return a preview as elements of an HTML head; without the title element.

    >>> preview_tags(Preview("A <b>", "It is.")).splitlines()[:2]
    ['<meta name="description" content="It is.">', \
'<meta property="og:title" content="A &lt;b&gt;">']
    """
    description = shorten(preview.description, DESCRIPTION_LENGTH)
    facts = {
        "og:title": shorten(preview.title, TITLE_LENGTH),
        "og:description": description,
        "og:type": "article" if preview.is_article else "website",
        "og:site_name": SITE_NAME,
        "og:url": preview.address,
        "og:image": preview.image,
    }
    card = "summary_large_image" if preview.image else "summary"
    tags = [
        _tag("name", "description", description),
        *(_tag("property", name, text) for name, text in facts.items()),
        _tag("name", "twitter:card", card),
    ]
    return "\n".join(filter(None, tags))


def _tag(kind: str, name: str, content: str) -> str:
    if not content:
        return ""
    return f'<meta {kind}="{name}" content="{escape_html(content)}">'


def shorten(text: str, most: int) -> str:
    """Return a text on one line, cut between words where it is too long.

    Args:
        text: Plain text.
        most: Its most characters.

    >>> shorten("Better than tuned  SGD.", 13)
    'Better than…'
    """
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    cut = flat[: most - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut else cut}…"

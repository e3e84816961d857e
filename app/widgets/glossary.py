"""Terms of the glossary on the screen: as help of a widget, or as popovers in a text.

A popover is HTML alone: a button that a mouse, a finger and a keyboard can press.
"""

import functools
import hashlib
import re

from app.glossary import TERMS, Term
from app.widgets.escaping import escape_html


def term_named(name: str) -> Term:
    """Return a term by its name or one of its other forms, whatever their case.

    >>> term_named("replicates").name
    'Replicate'
    """
    return _terms_by_form()[name.casefold()]


def help_of(name: str) -> str:
    """Return what a term means, as the help text of a widget or a heading.

    >>> help_of("seed")[:20]
    'The number from whic'
    """
    return term_named(name).text


def mark_terms(text: str) -> str:
    """Return plain text as HTML in which each term can be pressed to explain it.

    Only the first occurrence of a term is marked, so that a text stays readable.

    Args:
        text: Plain text; it is escaped.
    """
    return _mark(text, escape_html(text))


def mark_terms_of_markdown(text: str) -> str:
    """Return a text with **bold** and *italic* words as HTML with marked terms."""
    html = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape_html(text))
    return _mark(text, re.sub(r"\*(.+?)\*", r"<i>\1</i>", html))


def _mark(text: str, html: str) -> str:
    seen = set[str]()

    def mark(found: re.Match[str]) -> str:
        term = term_named(found[0])
        if term.name in seen:
            return found[0]
        seen.add(term.name)
        # The same text gives the same id, so that a rerun leaves the page as it is.
        digest = hashlib.sha256(f"{term.name}|{text}".encode()).hexdigest()[:10]
        return _popover(term, found[0], f"term-{digest}")

    return _pattern().sub(mark, html)


def _popover(term: Term, shown: str, name: str) -> str:
    return (
        f'<button type="button" class="term" popovertarget="{name}">{shown}</button>'
        f'<span popover class="term-note" id="{name}"><b>{escape_html(term.name)}</b> '
        f"{escape_html(term.text)}</span>"
    )


@functools.cache
def _terms_by_form() -> dict[str, Term]:
    return {
        form.casefold(): term for term in TERMS for form in (term.name, *term.aliases)
    }


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Return a pattern of all forms as whole words; longer ones are tried first."""
    marked = (f for f, term in _terms_by_form().items() if term.is_marked)
    forms = sorted(marked, key=len, reverse=True)
    any_form = "|".join(map(re.escape, forms))
    return re.compile(rf"(?<![\w-])(?:{any_form})(?![\w-])", re.IGNORECASE)

"""Parts of a report as HTML: every text is escaped, so a hostile title does nothing."""

from collections.abc import Iterable, Mapping, Sequence

from app.widgets.escaping import escape_html

Rows = Sequence[Mapping[str, object]]


def make_table(rows: Rows, caption: str) -> str:
    """Return rows as a table.

    Args:
        rows: Texts by column; all have the columns of the first.
        caption: What the table holds, for screen readers, too.
    """
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape_html(name)}</th>' for name in rows[0])
    lines = "".join(f"<tr>{_cells(row.values())}</tr>" for row in rows)
    return (
        # It may scroll sideways, which the keyboard must be able to do, too.
        f'<div class="table" role="region" tabindex="0" '
        f'aria-label="{escape_html(caption)}">'
        f"<table><caption>{escape_html(caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(values: Iterable[object]) -> str:
    first, *rest = (escape_html(value) for value in values)
    named = f'<th scope="row">{first}</th>'
    return named + "".join(f"<td>{value}</td>" for value in rest)


def make_facts(pairs: Mapping[str, object]) -> str:
    """Return names and values as a list."""
    return f"<dl>{''.join(_fact(*pair) for pair in pairs.items())}</dl>"


def _fact(name: str, value: object) -> str:
    return f"<div><dt>{escape_html(name)}</dt><dd>{escape_html(value)}</dd></div>"


def make_list(texts: Iterable[str]) -> str:
    """Return sentences as a list; empty where there are none."""
    lines = "".join(f"<li>{escape_html(text)}</li>" for text in texts)
    return f"<ul>{lines}</ul>" if lines else ""


def make_section(title: str, *parts: str) -> str:
    """Return a section with a heading; empty where all of its parts are."""
    body = "".join(parts)
    return f"<section><h2>{escape_html(title)}</h2>{body}</section>" if body else ""


def make_details(title: str, body: str) -> str:
    """Return what is folded until it is opened; on paper it is open."""
    return f"<details><summary>{escape_html(title)}</summary>{body}</details>"


def make_code(text: str) -> str:
    """Return a block of code."""
    return f'<pre tabindex="0"><code>{escape_html(text)}</code></pre>'

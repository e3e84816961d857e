"""The page that says in one sentence why a request is refused."""

import html

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Metascope: {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 1.05rem/1.6 sans-serif; max-width: 42rem; margin: 18vh auto;
padding: 0 1.25rem; color-scheme: light dark }} code {{ font-size: .92em }}</style>
<h1>{title}</h1><p>{sentence}</p></html>
"""
# Nothing is loaded; the style stands in the page itself.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def refusal_page(status: int, title: str, sentence: str) -> HTMLResponse:
    """Return the page.

    Args:
        status: Its HTTP status.
        title: A few words.
        sentence: What is wrong and what helps; plain text, `code` in backticks.
    """
    parts = html.escape(sentence).split("`")
    marked = "".join(
        f"<code>{part}</code>" if index % 2 else part
        for index, part in enumerate(parts)
    )
    text = _PAGE.format(title=html.escape(title), sentence=marked)
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(text, status, headers)

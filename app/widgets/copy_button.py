"""A button that copies a text to the clipboard, in one click."""

from pathlib import Path

import streamlit as st

_HTML = """
<div class="metascope-copy">
  <button class="metascope-copy-button" type="button">
    <svg viewBox="0 0 24 24" width="15" height="15" aria-hidden="true" fill="none"
     stroke="currentColor" stroke-width="2" stroke-linecap="round">
      <path d="M10 13a5 5 0 0 0 7.5.5l3-3a5 5 0 0 0-7-7l-1.7 1.7"/>
      <path d="M14 11a5 5 0 0 0-7.5-.5l-3 3a5 5 0 0 0 7 7l1.7-1.7"/>
    </svg>
    <span></span>
  </button>
  <div class="metascope-copy-note">
    <div class="metascope-copy-said" role="status"></div>
    <input class="metascope-copy-field" type="text" readonly hidden>
  </div>
</div>
"""
_CSS = """
.metascope-copy { position: relative; width: max-content; }
.metascope-copy-button {
  display: flex; align-items: center; gap: 0.35rem; cursor: pointer;
  min-height: 2.5rem; padding: 0.25rem 0; border: 0; background: none;
  color: var(--st-text-color); font: inherit; font-size: 0.9rem; white-space: nowrap;
}
.metascope-copy-button:hover { color: var(--st-primary-color); }
.metascope-copy-button:focus-visible { outline: 2px solid var(--st-primary-color); }
.metascope-copy-note {
  display: block; position: absolute; top: 100%; z-index: 20;
  box-sizing: border-box; width: max-content; max-width: min(20rem, 80vw);
}
.metascope-copy-open {
  padding: 0.6rem 0.8rem; border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius); background: var(--st-background-color);
  box-shadow: 0 4px 16px rgba(0, 0, 0, 0.18); font-size: 0.9rem;
}
.metascope-copy-field {
  display: block; width: 100%; margin-top: 0.5rem; padding: 0.3rem;
  font-family: monospace; color: var(--st-text-color);
  background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color);
}
.metascope-copy-field[hidden] { display: none; }
"""
_component = st.components.v2.component(
    "metascope_copy_button",
    html=_HTML,
    css=_CSS,
    js=Path(__file__).with_name("copy_button.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def copy_button(label: str, text: str, *, key: str, help: str, done: str) -> None:
    """Draw a button that copies a text, also from the keyboard.

    Args:
        label: What the button says.
        text: What is copied.
        key: Stable name of the button on the page.
        help: Shown on hovering.
        done: Said when it is copied, to screen readers, too.
    """
    refused = "The browser refused the clipboard. Press Ctrl + C to copy:"
    _component(
        key=key,
        width="content",
        data={
            "label": label,
            "text": text,
            "help": help,
            "done": done,
            "refused": refused,
        },
    )

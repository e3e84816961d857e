"""Exports of a run: share link, files, figures; each is built on request."""

import json
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app import share_links
from app.client import client
from app.client import files as filed
from app.client.client import Run
from app.figures.theme import learner_name
from app.widgets import page_elements, page_frame
from app.widgets.escaping import escape_markdown
from engine import portable_arithmetic
from engine.contract.learner_appearance import name_in_words

FIGURE_FORMATS = {
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
}
NO_BROWSER = (
    "SVG and PNG need Chromium or Chrome, and none was found on this "
    "machine. The HTML file contains the same figure."
)


def draw_share_link(run: Run) -> None:
    """Draw the share link, ready to copy."""
    with st.popover("Copy link", icon=":material/link:", key="share", type="tertiary"):
        st.markdown("**With this link anyone can recompute exactly this run.**")
        st.code(
            share_links.share_link(page_frame.lab_address(), run.spec, run.key),
            language=None,
            wrap_lines=True,
        )
        st.caption(
            "It contains every setting and the run's key. Opening it starts nothing: "
            "a finished run is shown, any other waits until Run is pressed."
        )


def draw_files(run: Run) -> None:
    """Draw the download buttons for a run's files, the same as the command line's."""
    with st.popover(
        "Export", icon=":material/download:", key="exports", type="tertiary"
    ):
        st.caption("The same files that `python -m engine runs export` writes.")
        for name, (mime, build) in _file_builders(run).items():
            st.download_button(
                name,
                data=build,
                file_name=name,
                mime=mime,
                on_click="ignore",
                key=f"export.{name}",
                icon=":material/description:",
                width="stretch",
            )


def _file_builders(run: Run) -> dict[str, tuple[str, Any]]:
    made: dict[str, tuple[str, Any]] = {
        "metrics.csv": ("text/csv", lambda: filed.export_file(run, "metrics.csv")),
        "timings.csv": ("text/csv", lambda: filed.export_file(run, "timings.csv")),
        "config.json": (
            "application/json",
            lambda: filed.export_file(run, "config.json"),
        ),
    }
    if run.summary is not None:
        made["summary.json"] = (
            "application/json",
            lambda: filed.export_file(run, "summary.json"),
        )
    if not run.is_recorded and not run.is_alive:
        made["run.zip"] = ("application/zip", lambda: filed.export_run_archive(run.key))
    return made


def draw_figure_exports(figures: Mapping[str, go.Figure], run: Run) -> None:
    """Draw the download of a chosen figure as HTML, SVG or PNG."""
    with st.popover(
        "Figures", icon=":material/image:", key="figure_exports", type="tertiary"
    ):
        name = str(st.selectbox("Figure", list(figures), key="export_figure"))
        able = can_render()
        if not able:
            st.caption(NO_BROWSER)
        for kind, mime in FIGURE_FORMATS.items():
            if able or kind == "html":
                _draw_figure_download(
                    figures[name], f"{_file_stem(name)}_{run.key[:8]}.{kind}", mime
                )


def _draw_figure_download(figures: go.Figure, file: str, mime: str) -> None:
    kind = file.rpartition(".")[2]
    st.download_button(
        kind.upper(),
        data=lambda: render_figure(figures, kind),
        file_name=file,
        mime=mime,
        on_click="ignore",
        key=f"export.figure.{kind}",
        icon=":material/image:",
        width="stretch",
    )


def _file_stem(title: str) -> str:
    """Return a title in a form that is safe in a file name.

    >>> _file_stem("Loss, shifted: mean")
    'loss_shifted_mean'
    """
    words = "".join(c if c.isalnum() else " " for c in title.lower()).split()
    return "_".join(words)[:60] or "figure"


def can_render() -> bool:
    """Whether a Chromium is installed, which SVG and PNG need."""
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False) is not None


def render_figure(figure: go.Figure, kind: str) -> bytes:
    """Return a figure as a file.

    Args:
        figure: Any figure of the page; it is drawn dark on white.
        kind: html, svg or png; the last two need Chromium on this machine.
    """
    printed = go.Figure(figure)
    # Plotly looks a trace up by `.cb<uid>`, and "adam:band" is no valid selector.
    printed.for_each_trace(lambda trace: trace.update(uid=None))
    title = (figure.layout.meta or {}).get("title", "")
    printed.update_layout(
        template="plotly_white", title=title, margin_t=70, font_color="#1c2530"
    )
    if kind == "html":
        return printed.to_html(include_plotlyjs=True).encode()
    return bytes(printed.to_image(format=kind, width=1000, height=620, scale=2))


def format_json(value: Any) -> str:
    """Return indented JSON, keys sorted."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def draw_reproduction(run: Run) -> None:
    """Draw what is needed to reproduce the run."""
    left, right = st.columns(2, gap="large")
    with left:
        page_elements.draw_heading("On the command line", "Save config.json, then:")
        st.code("python -m engine run config.json --out result/", language="bash")
        page_elements.draw_heading(
            "Computed with", _describe_repeatability(run.fingerprint)
        )
        page_elements.draw_facts(_flatten(run.fingerprint) | {"run": run.key})
        _draw_version_differences(run)
        _draw_inputs(run)
    with right:
        page_elements.draw_heading(
            "config.json", "Everything that determines the numbers."
        )
        spec = run.spec.model_dump(mode="json")
        st.code(format_json(spec), language="json", height=420)


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, "")
        elif value not in ("", None):
            flat[name_in_words(f"{prefix}{name}")] = str(value)
    return flat


def _describe_repeatability(fingerprint: Mapping[str, Any]) -> str:
    """Describe which machines reproduce a run with this fingerprint, bit for bit."""
    if fingerprint.get("device", "cpu") != "cpu":
        return "The same device and versions give the same numbers, bit for bit."
    if fingerprint.get("arithmetic") == portable_arithmetic.PORTABLE:
        return (
            "The same versions give the same numbers, bit for bit, on every x86 "
            "machine with AVX2."
        )
    return "The same processor and versions give the same numbers, bit for bit."


def _draw_version_differences(run: Run) -> None:
    """Show the versions in which this installation differs from the run's."""
    if not client.is_catalogue_ready():
        return
    there = dict(run.fingerprint.get("versions") or {})
    here = dict(client.catalogue().versions)
    if computed_with := run.fingerprint.get("arithmetic"):
        there["arithmetic"], here["arithmetic"] = (
            computed_with,
            portable_arithmetic.describe_arithmetic(),
        )
    other = [
        f"{k} {v} (here {here[k]})" for k, v in there.items() if here.get(k, v) != v
    ]
    if other:
        st.info(
            escape_markdown(
                f"Computed with {', '.join(other)}: a rerun here gives close, but "
            )
            + "perhaps not identical, numbers."
        )


def _draw_inputs(run: Run) -> None:
    if not run.spec.inputs:
        return
    page_elements.draw_heading("Made from", "Frozen meta-learners of earlier runs.")
    for label, source in run.spec.inputs.items():
        st.markdown(
            f"{escape_markdown(learner_name(label))}: "
            f"[`{source.run[:12]}`](?run={source.run}), "
            f"artefact {escape_markdown(source.artefact)}"
        )

"""What every figure of few-shot learning owes its reader."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import figure_parts
from app.figures.curves import curves_figure
from app.figures.embedding import embedding_figure
from app.figures.episode import episode_figure
from app.figures.function_adaptation import adaptation_figure
from app.figures.layer_heatmap import layers_figure
from tests.figures import few_shot, made
from tests.figures.few_shot import ROLES
from tests.figures.test_layer_heatmap import NORMS

Draw = Callable[[dict[str, str], Callable[[str], str]], go.Figure]


def renamed(film: Any, name: Callable[[str], str]) -> Any:
    film.arrays = {
        "/".join([name(key.partition("/")[0]), key.partition("/")[2]])
        if "/" in key
        else key: array
        for key, array in film.arrays.items()
    }
    return film


ALL: dict[str, Draw] = {
    "film": lambda roles, name: adaptation_figure(
        renamed(few_shot.adaptation(), name), roles
    ),
    "images": lambda roles, name: episode_figure(
        renamed(few_shot.episode(), name), roles
    ),
    "vectors": lambda roles, name: episode_figure(
        renamed(few_shot.episode(side=0), name), roles
    ),
    "map": lambda roles, name: embedding_figure(
        {name(label): shots for label, shots in few_shot.snapshots().items()}, roles
    ),
    "layers": lambda roles, name: layers_figure(
        {name("maml"): NORMS}, "inner_grad_norm", roles
    ),
}
HOSTILE = "<img src=x onerror=alert(1)>"


def plain(name: str) -> str:
    return name


def hostile(name: str) -> str:
    return HOSTILE if name == "maml" else name


@pytest.fixture(params=ALL)
def draw(request: pytest.FixtureRequest) -> Draw:
    return ALL[request.param]


def test_it_says_what_it_shows_and_how_to_read_it(draw: Draw) -> None:
    meta = draw(ROLES, plain).layout.meta
    assert len(meta["alt"]) > 20
    assert len(meta["how_to_read"]) > 20
    assert meta["title"]


def test_it_is_drawn_twice_alike_and_small(draw: Draw) -> None:
    one, two = (draw(ROLES, plain).to_json() for _ in range(2))
    assert one == two
    json.loads(one, parse_constant=pytest.fail)
    assert len(one) < 400_000


def test_no_trace_needs_web_gl_or_has_more_than_2000_points(draw: Draw) -> None:
    drawn = draw(ROLES, plain).data
    assert drawn
    for trace in drawn:
        assert trace.type in {"scatter", "heatmap", "image"}
        if trace.type == "scatter":
            assert (
                len(trace.x if trace.x is not None else []) <= figure_parts.MAX_POINTS
            )


def test_text_and_ground_are_the_pages(draw: Draw) -> None:
    layout = draw(ROLES, plain).layout
    assert layout.font.color is None
    assert all(note.font.color is None for note in layout.annotations)
    assert layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_a_label_is_text_whatever_it_holds(draw: Draw) -> None:
    roles = {hostile(label): role for label, role in ROLES.items()}
    shown = draw(roles, hostile)
    assert "img" in shown.to_json()  # it is shown, and it is text
    for note in [
        *shown.layout.annotations,
        *(n for frame in shown.frames for n in frame.layout.annotations or ()),
    ]:
        assert "<img" not in note.text
    for trace in shown.data:
        assert "<img" not in (trace.name or "")


def test_without_a_known_learner_it_is_empty_and_fails_nowhere(draw: Draw) -> None:
    made = draw({"other": "chosen"}, plain)
    assert not made.layout.annotations
    made.to_json()


def test_a_log_axis_over_more_decades_than_a_ratio_can_hold_has_few_ticks() -> None:
    axis = figure_parts.log_axis([1e-280, 1e200], most=6)
    low, high = axis["range"]
    assert (high - low) / axis["dtick"] <= 6


def test_a_log_axis_is_cut_where_one_blow_up_would_flatten_all_others() -> None:
    calm, wild = [1.0, 2.0, 3.0], [1.0, 1e30]
    low, high = figure_parts.log_axis(calm, wild)["range"]
    assert low < 0 < np.log10(3.0) < high < 10
    assert "range" not in figure_parts.log_axis(calm, [1e6])


def test_a_log_axis_without_a_value_has_few_ticks() -> None:
    axis = figure_parts.log_axis([np.nan, np.inf, 0.0])
    assert axis["range"] == [0, 2] and axis["dtick"] == 1


def test_a_lone_point_is_seen() -> None:
    lone = made.line("lr_scale", steps=1)
    drawn = curves_figure([lone], "query_mse", {"lr_scale": "chosen"})
    assert "markers" in drawn.data[-1].mode

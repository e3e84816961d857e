"""A search policy's probability of each option along the search."""

import html

import numpy as np
import plotly.graph_objects as go

from app.figures.animation import add_controls, sample_frames
from app.figures.figure_parts import add_footnote, make_figure, names_axis
from app.figures.figure_types import Film, Floats, Indices, Roles
from app.figures.shift import SEQUENTIAL
from app.figures.space_data import Space, shorten
from app.figures.theme import assign_styles, learner_name

ROW, TALL = 13, 46  # pixels of an option's row; of a decision's in the film


def policy_figure(film: Film, label: str) -> go.Figure:
    """Draw every option's probability along the whole search, by decision.

    Args:
        film: Artefact of kind "search" with `<label>/policy`.
        label: The strategy.
    """
    space = Space.from_film(film)
    policy, at = _policy_arrays(film, label)
    rows, names, ticks = _option_rows(policy, space)
    made = make_figure(
        title=f"Policy of {learner_name(label)} along the search",
        how_to_read="Each row is an option, each block a decision; the stronger the "
        "color, the more probable the option. First search of the first replicate.",
        alt=_alt_text(policy, space, label),
        height=70 + ROW * len(rows),
    )
    made.add_trace(
        go.Heatmap(
            z=rows.astype(np.float32),
            x=at,
            y=list(range(len(rows))),
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL,
            showscale=False,
            customdata=np.array(names)[:, None].repeat(len(at), 1),
            hovertemplate="%{customdata}, evaluation %{x}: %{z:.0%}<extra></extra>",
            uid=f"{label}:policy",
        )
    )
    places = [place for place, tick in enumerate(ticks) if tick]
    made.update_yaxes(names_axis() | {"autorange": "reversed", "fixedrange": True})
    made.update_yaxes(tickvals=places, ticktext=[ticks[place] for place in places])
    made.update_yaxes(tickfont={"size": 10})
    made.update_xaxes(title_text="Evaluation", showgrid=False)
    made.update_layout(hovermode="closest", margin={"t": 8, "b": 40})
    return made


def policy_film(film: Film, label: str, roles: Roles) -> go.Figure:
    """Draw every option's probability at one evaluation, with a slider.

    Args:
        film: Artefact of kind "search" with `<label>/policy`.
        label: The strategy.
        roles: Role by label, in the spec's order.
    """
    space = Space.from_film(film)
    policy, at = _policy_arrays(film, label)
    shots = sample_frames(len(at))
    made = make_figure(
        title=f"Policy of {learner_name(label)} by decision",
        how_to_read="The stronger the color, the more probable the option; a row with "
        "one strong cell is a settled decision.",
        alt=_alt_text(policy, space, label),
        height=60 + TALL * len(space.positions),
    )
    for trace in _cell_traces(policy[shots[-1]], space, label):
        made.add_trace(trace)
    made.frames = [
        go.Frame(
            name=str(int(at[shot])),
            data=[*_cell_traces(policy[shot], space, label)],
            traces=[0, 1],
        )
        for shot in shots
    ]
    made.update_yaxes(names_axis() | {"autorange": "reversed", "fixedrange": True})
    names = [html.escape(shorten(name)) for name in space.positions]
    made.update_yaxes(tickvals=list(range(len(names))), ticktext=names)
    made.update_xaxes(names_axis() | {"visible": False, "fixedrange": True})
    made.update_layout(hovermode="closest", margin={"t": 26})
    style = assign_styles(roles)[label]
    chip = f"<span style='color:{style.color};font-size:17px'>●</span>"
    made.add_annotation(
        text=f"{chip} <b>{style.name}</b>",
        xref="paper",
        yref="paper",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
    )
    add_footnote(made, "probability of each option")
    add_controls(made, [int(at[shot]) for shot in shots], word="evaluation")
    return made


def _policy_arrays(film: Film, label: str) -> tuple[Floats, Indices]:
    policy = np.asarray(film.arrays[f"{label}/policy"], dtype=np.float64)
    at = np.asarray(film.arrays[f"{label}/policy_at"], dtype=np.int64) + 1
    # Padding of decisions with fewer options is NaN: draw it as 0.
    return np.nan_to_num(policy), at


def _option_rows(policy: Floats, space: Space) -> tuple[Floats, list[str], list[str]]:
    """Return rows of options, an empty row between decisions, and their names."""
    rows, names, ticks = [], list[str](), list[str]()
    for place, options in enumerate(space.options):
        if place:
            rows.append(np.full(len(policy), np.nan))
            names.append("")
            ticks.append("")
        for at, option in enumerate(options):
            rows.append(policy[:, place, at])
            name = f"{space.positions[place]}: {option}"
            names.append(html.escape(name))
            ticks.append(html.escape(shorten(name, 24) if at == 0 else shorten(option)))
    return np.stack(rows), names, ticks


def _cell_traces(
    probability: Floats, space: Space, label: str
) -> tuple[go.Heatmap, go.Scatter]:
    most = max(len(names) for names in space.options)
    z = np.full((len(space.positions), most), np.nan, dtype=np.float32)
    words = []
    for place, options in enumerate(space.options):
        z[place, : len(options)] = probability[place, : len(options)]
        words += [
            f"{html.escape(shorten(name, 12))}<br><b>{probability[place, at]:.0%}</b>"
            for at, name in enumerate(options)
        ]
    x = [at for names in space.options for at in range(len(names))]
    y = [place for place, names in enumerate(space.options) for _ in names]
    heat = go.Heatmap(
        z=z,
        zmin=0,
        zmax=1,
        colorscale=SEQUENTIAL,
        xgap=3,
        ygap=3,
        showscale=False,
        hoverinfo="skip",
        uid=f"{label}:favors",
    )
    text = go.Scatter(
        x=x,
        y=y,
        text=words,
        mode="text",
        hoverinfo="skip",
        textfont={"size": 10},
        showlegend=False,
        uid=f"{label}:words",
    )
    return heat, text


def _alt_text(policy: Floats, space: Space, label: str) -> str:
    last = policy[-1]
    favored = [
        f"{space.positions[p]} {names[int(last[p, : len(names)].argmax())]} at "
        f"{last[p, : len(names)].max():.0%}"
        for p, names in enumerate(space.options)
    ]
    return f"At the end {label} favors: {', '.join(favored)}"

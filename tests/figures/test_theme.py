"""Colors that everyone can tell apart, and rules that hold in every panel."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from app.figures import figure_parts, theme
from engine.presets import search
from engine.presets.builders import Preset

ROOT = Path(__file__).parents[2]
# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as it is seen.
SIGHTS = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(color: str) -> np.ndarray:
    srgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(first: np.ndarray, second: np.ndarray) -> float:
    """WCAG 2.2 contrast of two linear colors."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    dark, light = sorted((float(first @ weights), float(second @ weights)))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Björn Ottosson's perceptual space; 0.02 is a just noticeable difference."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return lab @ np.cbrt(cones @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("background", ["#ffffff", "#0e1117"])
@pytest.mark.parametrize("color", sorted({*theme.PALETTE, theme.GREY}))
def test_every_color_has_three_to_one_on_both_backgrounds(
    color: str, background: str
) -> None:
    assert contrast(linear(color), linear(background)) >= 3.0


@pytest.mark.parametrize("sight", SIGHTS)
def test_any_two_colors_differ_in_every_kind_of_sight(sight: str) -> None:
    seen = [oklab(SIGHTS[sight] @ linear(c)) for c in theme.PALETTE]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert nearest > 0.05


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_page_uses_the_same_ten_colors(mode: str) -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    assert len(theme.PALETTE) == 10
    assert tuple(config["theme"][mode]["chartCategoricalColors"]) == theme.PALETTE


def test_chosen_is_solid_and_thick_and_baselines_are_broken_and_thin() -> None:
    looks = theme.assign_styles({"a": "chosen", "b": "baseline", "c": "baseline"})
    assert looks["a"].dash == "solid"
    assert "solid" not in {looks["b"].dash, looks["c"].dash}
    assert looks["a"].width > max(looks["b"].width, looks["c"].width)


def test_no_two_of_ten_learners_share_a_color() -> None:
    roles = dict.fromkeys(("sgd", "adam", "adam_tuned"), "baseline")
    roles |= {f"own_{i}": "chosen" for i in range(7)}
    assert len({look.color for look in theme.assign_styles(roles).values()}) == 10


def test_two_of_eleven_learners_that_share_a_color_differ_in_dash() -> None:
    looks = theme.assign_styles({f"own_{i}": "baseline" for i in range(11)})
    twins = [look for look in looks.values() if look.color == looks["own_0"].color]
    assert len(twins) == 2
    assert twins[0].symbol != twins[1].symbol


def test_a_known_label_keeps_its_color_whatever_else_runs() -> None:
    alone = theme.assign_styles({"sgd_tuned": "baseline"})["sgd_tuned"].color
    crowd = theme.assign_styles(
        {"new": "chosen", "lstm": "chosen", "sgd_tuned": "baseline"}
    )
    assert crowd["sgd_tuned"].color == alone


def test_a_label_cannot_bring_its_own_markup() -> None:
    assert "<" not in theme.learner_name("<a href='x'>win</a>")


def test_thinning_keeps_the_peak_and_the_trough() -> None:
    y = np.zeros(50_000)
    y[12_345], y[34_567] = 9.0, -9.0
    kept = figure_parts.thin_indices(np.arange(50_000.0), y)
    assert len(kept) <= figure_parts.MAX_POINTS
    assert {0, 12_345, 34_567, 49_999} <= set(kept.tolist())


def test_a_band_does_not_bridge_a_gap() -> None:
    x, low, high = np.arange(6.0), np.zeros(6), np.ones(6)
    low[2:4] = np.nan
    area = figure_parts.band_trace(x, low, high, theme.learner_style("a", "chosen", 0))
    assert area is not None
    loops = np.flatnonzero(np.isnan(np.asarray(area.x, dtype=float)))
    assert len(loops) == 1
    assert set(np.asarray(area.x[: loops[0]])) == {0.0, 1.0}


@pytest.mark.parametrize("decades", [0.1, 0.5, 1, 2, 4, 8])
def test_a_log_axis_has_at_least_two_ticks_and_no_crowd(decades: float) -> None:
    low, high = 0.13, 0.13 * 10**decades
    step = figure_parts.log_axis(np.array([low, high]), most=6)["dtick"]
    if isinstance(step, str) and step.startswith("L"):
        count = (high - low) / float(step[1:])
    else:
        count = 3 * decades if step == "D2" else decades / step
    assert 1 <= count <= 7


@pytest.mark.parametrize("preset", search.PRESETS, ids=lambda preset: preset.name)
def test_strategies_of_a_shipped_search_have_distinct_colors(preset: Preset) -> None:
    """What may stand in the same panel is further apart than the palette's nearest."""
    looks = theme.assign_styles({c.label: c.role for c in preset.spec.learners})
    seen = [oklab(linear(look.color)) for look in looks.values()]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert nearest > 0.13

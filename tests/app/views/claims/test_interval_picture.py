"""The picture of a claim's interval."""

import re

import numpy as np
import pytest

from app.views.claims.interval_picture import describe_estimate, interval_picture
from app.widgets.svg_picture import LIGHT
from engine.stats.claims_board import StudyVerdict

JUDGED = StudyVerdict("not supported", 2.0, 1.0, 3.0, "%", "…", (), (15.0, 25.0))
NOTHING = JUDGED._replace(estimate=np.nan, low=np.nan, high=np.nan, claimed=())


def pixels(svg: str) -> dict[float, float]:
    """Return where the ticks' values lie, in pixels from the left."""
    found = re.findall(r'<text x="([\d.]+)"[^>]*>([^<]+)</text>', svg)
    return {float(text.replace("−", "-")): float(x) for x, text in found}


def test_interval_estimate_and_claim_lie_on_the_scale_of_the_ticks() -> None:
    svg = interval_picture(JUDGED, LIGHT).svg
    ticks = pixels(svg)
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    low, high = re.findall(r'class="interval" d="M([\d.]+) \d+H([\d.]+)"', svg)[0]
    left, width = re.findall(r'class="claimed" x="([\d.]+)"[^>]*width="([\d.]+)"', svg)[
        0
    ]
    middle = re.findall(r'cx="([\d.]+)"', svg)[0]
    drawn = [low, middle, high, left, float(left) + float(width)]
    values = (np.array(drawn, dtype=float) - start) / slope
    assert values == pytest.approx([1, 2, 3, 15, 25], abs=0.05)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 7.3, 4e5])
def test_a_few_round_ticks_hold_zero(scale: float) -> None:
    judged = JUDGED._replace(estimate=scale, low=-scale, high=3 * scale, claimed=())
    ticks = pixels(interval_picture(judged, LIGHT).svg)
    assert 3 <= len(ticks) <= 7 and 0.0 in ticks


def test_what_was_not_measured_is_left_out() -> None:
    picture = interval_picture(NOTHING, LIGHT)
    assert "circle" not in picture.svg and "interval" not in picture.svg
    assert describe_estimate(NOTHING) == "not measured"
    assert picture.alt == "Measured not measured: not supported"


def test_an_estimate_is_rounded_as_in_its_sentence() -> None:
    assert describe_estimate(JUDGED) == "2.0 [1.0, 3.0] %"

"""What the view options of a run offer."""

import numpy as np

from app.views.run.view_options import _threshold_levels


def test_a_loss_that_blew_up_does_not_take_the_slider_of_the_threshold() -> None:
    losses = np.full((2, 4, 3), 0.5)
    losses[..., 2] = 0.1
    losses[0, 0] = [1e9, np.inf, np.nan]
    levels = _threshold_levels([losses], 0.4, None)
    assert 0.4 in levels
    assert levels[0] < 0.4
    assert 1 < levels[-1] <= 100

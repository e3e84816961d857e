"""The film of Start: learners fit a new function, gradient step by gradient step.

Each learner is one animated SVG, so the page needs no chart library and no script. The
film is shorter than five seconds and plays once; where the user prefers reduced motion
its last picture is shown.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from app.figures.figure_types import Film, Floats
from app.figures.function_adaptation import filmed_steps, frame_at
from app.figures.theme import Style, assign_styles, format_number
from app.widgets.svg_picture import Ink, Picture, polyline, svg_document

SIZE = (240, 176)
TOP, MARGIN = 26, 8  # room for the text, and at the other edges
HOLD, PACE = 0.9, 0.3  # seconds of the first picture, and of each further one
# Frames are invisible but for their time; the last one stays.
STYLE = """
.f{visibility:hidden;animation:now 0.3s}
.f.first{animation-duration:0.9s}
.f.last{animation-fill-mode:forwards}
@keyframes now{from{visibility:visible}to{visibility:visible}}
@media(prefers-reduced-motion:reduce){
.f{animation:none}
.f.last{visibility:visible}}
"""


def adaptation_film(
    film: Film, roles: Mapping[str, str], task: int, ink: Ink
) -> dict[str, Picture]:
    """Return one animated picture for each learner of a film.

    Args:
        film: Artefact of form "adaptation".
        roles: Role by label, in the spec's order.
        task: Which of its tasks.
        ink: Colors of what belongs to no learner.

    Returns:
        Pictures by label; each plays once, all at the same pace.
    """
    labels = [label for label in roles if f"{label}/curve" in film.arrays]
    steps, styles = filmed_steps(film, labels), assign_styles(roles)
    scene = _Scene(film, task, labels)
    return {
        label: Picture(
            svg_document(SIZE, scene.draw(styles[label], steps, ink), STYLE),
            scene.describe(label, steps),
        )
        for label in labels
    }


class _Scene:
    """One task of a film in the coordinates of the pictures."""

    def __init__(self, film: Film, task: int, labels: Sequence[str]) -> None:
        self.film, self.task = film, task
        self.x = np.asarray(film.arrays["x"], dtype=np.float64)
        self.truth = self._array("truth")
        # What a learner answers before it has seen anything may lie far outside.
        ends = [self._array(f"{label}/curve")[-1] for label in labels]
        shown = np.concatenate([self.truth, self._array("support_y"), *ends])
        self.low, self.high = float(shown.min()), float(shown.max())

    def _array(self, name: str) -> Floats:
        return np.asarray(self.film.arrays[name], dtype=np.float64)[self.task]

    def place(self, x: Floats, y: Floats) -> list[tuple[float, float]]:
        """Return points in the picture; those outside are moved to its edge."""
        width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - TOP - MARGIN
        across = (x - self.x[0]) / (self.x[-1] - self.x[0])
        up = np.clip((y - self.low) / (self.high - self.low), -0.03, 1.03)
        return list(zip(MARGIN + width * across, TOP + height * (1 - up), strict=True))

    def draw(self, style: Style, steps: Sequence[int], ink: Ink) -> str:
        """Return the elements of a learner's picture."""
        gray = f'stroke="{ink.line}" stroke-width="1.6"'
        dots = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{ink.text}"/>'
            for x, y in self.place(self._array("support_x"), self._array("support_y"))
        )
        truth = polyline(self.place(self.x, self.truth), gray)
        return truth + "".join(self._frames(style, steps, ink)) + dots

    def _frames(self, style: Style, steps: Sequence[int], ink: Ink) -> Iterator[str]:
        look = f'stroke="{style.color}" stroke-width="3" stroke-linejoin="round"'
        for place, step in enumerate(steps):
            frame = self._frame(style.label, step)
            own = int(self.film.arrays[f"{style.label}/steps"][frame])
            error = self._array(f"{style.label}/mse")[frame]
            # Every second point is as smooth at this size, and half as long.
            curve = self._array(f"{style.label}/curve")[frame, ::2]
            kind = {0: " first", len(steps) - 1: " last"}.get(place, "")
            begin = 0.0 if place == 0 else HOLD + PACE * (place - 1)
            yield (
                f'<g class="f{kind}" style="animation-delay:{begin:.1f}s">'
                f"{polyline(self.place(self.x[::2], curve), look)}"
                f'<text x="{MARGIN}" y="17" font-size="14" fill="{ink.text}">'
                f"step {own} · error {format_number(error)}</text></g>"
            )

    def _frame(self, label: str, step: int) -> int:
        return frame_at(np.asarray(self.film.arrays[f"{label}/steps"]), step)

    def describe(self, label: str, steps: Sequence[int]) -> str:
        """Return the text alternative of a learner's picture."""
        errors = self._array(f"{label}/mse")
        first, last = (errors[self._frame(label, s)] for s in (steps[0], steps[-1]))
        own = int(self.film.arrays[f"{label}/steps"][self._frame(label, steps[-1])])
        return (
            f"A curve is fitted to {len(self._array('support_x'))} points: its squared "
            f"error goes from {format_number(first)} to {format_number(last)} in "
            f"{own} gradient steps."
        )

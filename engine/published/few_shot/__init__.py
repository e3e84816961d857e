"""Published figures of few-shot learning: Omniglot and sinusoids."""

from engine.published.few_shot import omniglot, sinusoids
from engine.published.published_figure import PublishedFigure


def rows() -> list[PublishedFigure]:
    """Return every published figure of few-shot learning."""
    return [*omniglot.rows(), *sinusoids.rows()]

"""Published figures of few-shot learning: Omniglot, its sequences, and sinusoids."""

from engine.published.few_shot import omniglot, omniglot_sequences, sinusoids
from engine.published.published_figure import PublishedFigure


def rows() -> list[PublishedFigure]:
    """Return every published figure of few-shot learning."""
    return [*omniglot.rows(), *omniglot_sequences.rows(), *sinusoids.rows()]

"""Published accuracies on Omniglot where each label comes one step late."""

from engine.published.published_figure import (
    HEARD,
    MethodFigures,
    PublishedFigure,
    without_intervals,
)

PROTOCOL = (
    "Omniglot, 20 × 20, 5 characters in 50 presentations in random order, labels drawn "
    "anew in each episode, one-hot; accuracy (%) on new characters at the k-th "
    "presentation of a class; 1 training of 100,000 episodes"
)
# Columns of the table: how often the class was presented, this time included.
PRESENTATIONS = (1, 2, 3, 4, 5, 10)
SOURCE = "Santoro et al. 2016, table 1, as a replication quotes it"
_TABLE = (
    MethodFigures(
        "LSTM",
        "recurrent",
        without_intervals(24.4, 49.5, 55.3, 61.0, 63.6, 62.5),
        SOURCE,
        HEARD,
    ),
    MethodFigures(
        "MANN",
        "mann",
        without_intervals(36.4, 82.8, 91.0, 92.6, 94.9, 98.1),
        SOURCE,
        HEARD,
    ),
)


def rows() -> list[PublishedFigure]:
    """Return the published figures of Omniglot in MANN's protocol."""
    return [
        PublishedFigure(
            "omniglot_sequences",
            5,
            0,
            f"{line.method}, presentation {presentation}",
            line.learner,
            *figure,
            PROTOCOL,
            line.source,
            line.provenance,
            presentation=presentation,
        )
        for line in _TABLE
        for presentation, figure in zip(PRESENTATIONS, line.figures, strict=True)
        if figure
    ]

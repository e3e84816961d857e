"""Published figures of few-shot sine regression."""

from engine.published.published_figure import (
    HEARD,
    MethodFigures,
    PublishedFigure,
)

SINUSOID = (
    "y = A sin(ωx + p), x ~ U(−5, 5); A and p, in Li et al. also ω, are drawn for each "
    "task; mean squared error on the queries, mean ± 95 % interval over 100 test "
    "tasks, 1 inner step where the method takes any; training shots = test shots"
)
_LI = "Li et al. 2017 (Meta-SGD), table 1, as two reviews of it quote it"
# Columns of the table.
SHOTS = (5, 10, 20)
_SINUSOID = (
    MethodFigures(
        "MAML",
        "maml",
        ((1.13, 0.18), None, (0.48, 0.08)),
        _LI,
        HEARD,
    ),
    MethodFigures(
        "Meta-SGD",
        "meta_sgd",
        ((0.90, 0.16), None, (0.31, 0.05)),
        _LI,
        HEARD,
    ),
    MethodFigures(
        "DKT and NGGP, spectral kernel, amplitudes in range",
        "deep_kernel",
        (None, (0.02, 0.01), None),
        "their papers, as others quote them",
        HEARD,
    ),
)


def rows() -> list[PublishedFigure]:
    """Return the published figures of sinusoids."""
    return [
        PublishedFigure(
            "sinusoids",
            0,
            shots,
            line.method,
            line.learner,
            *figure,
            SINUSOID,
            line.source,
            line.provenance,
        )
        for line in _SINUSOID
        for shots, figure in zip(SHOTS, line.figures, strict=True)
        if figure
    ]

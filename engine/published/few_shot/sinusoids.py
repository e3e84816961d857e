"""Published figures of few-shot sine regression."""

from engine.published.published_figure import (
    HEARD,
    MEMORY,
    MethodFigures,
    PublishedFigure,
)

SINUSOID = (
    "y = A sin(x − p), A ~ U(0.1, 5), p ~ U(0, π), x ~ U(−5, 5); mean squared error "
    "on the queries, mean ± 95 % interval over test tasks (100 in the Meta-SGD paper), "
    "1 inner step where the method takes any; training shots = test shots"
)
# Columns of the table.
SHOTS = (5, 10, 20)
_SINUSOID = (
    MethodFigures(
        "MAML",
        "maml",
        ((1.13, 0.18), (0.77, 0.11), (0.48, 0.08)),
        "Li et al. 2017 (Meta-SGD), table 1",
        MEMORY,
    ),
    MethodFigures(
        "Meta-SGD",
        "meta_sgd",
        ((0.90, 0.16), (0.53, 0.09), (0.31, 0.05)),
        "Li et al. 2017 (Meta-SGD), table 1",
        MEMORY,
    ),
    MethodFigures(
        "MT-Net",
        "mt_net",
        ((0.76, 0.09), (0.49, 0.05), (0.33, 0.04)),
        "Lee and Choi 2018",
        MEMORY,
    ),
    MethodFigures(
        "CAVIA, 1 context parameter",
        "cavia",
        (None, (0.84, 0.06), None),
        "Zintgraf et al. 2019",
        MEMORY,
    ),
    MethodFigures(
        "CAVIA, 2 context parameters",
        "cavia",
        (None, (0.21, 0.02), None),
        "Zintgraf et al. 2019",
        MEMORY,
    ),
    MethodFigures(
        "CAVIA, 4 to 5 context parameters",
        "cavia",
        (None, (0.19, 0.02), None),
        "Zintgraf et al. 2019",
        MEMORY,
    ),
    MethodFigures(
        "MAML with 2 input biases",
        "",
        (None, (0.24, 0.02), None),
        "Zintgraf et al. 2019",
        MEMORY,
    ),
    MethodFigures(
        "MAML with 5 input biases",
        "",
        (None, (0.23, 0.02), None),
        "Zintgraf et al. 2019",
        MEMORY,
    ),
    MethodFigures(
        "MAML, no input biases, in the CAVIA paper",
        "maml",
        (None, (0.33, 0.02), None),
        "Zintgraf et al. 2019",
        MEMORY,
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

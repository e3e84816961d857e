"""The verbs: what a family, a net, a shift, a learner and an estimator must do.

Every tensor of a task leads with the member axis, replicate × (particle ×) task;
every tensor of a meta-learner leads with the replicate axis.
"""

from engine.protocol.learners import (
    Estimator,
    Explored,
    Glance,
    Learner,
    Move,
    OuterRule,
    Rule,
    Span,
    Stretch,
    Unrolled,
)
from engine.protocol.tasks import (
    Family,
    Gradient,
    Judge,
    Layout,
    Net,
    Place,
    Sample,
    Setting,
    Shift,
    TaskBatch,
    Warp,
)
from engine.protocol.values import (
    AllDiverged,
    Lesson,
    Meta,
    Outer,
    Plan,
    Weights,
    generator,
)

__all__ = [
    "AllDiverged",
    "Estimator",
    "Explored",
    "Family",
    "Glance",
    "Gradient",
    "Judge",
    "Layout",
    "Learner",
    "Lesson",
    "Meta",
    "Move",
    "Net",
    "Outer",
    "OuterRule",
    "Place",
    "Plan",
    "Rule",
    "Sample",
    "Setting",
    "Shift",
    "Span",
    "Stretch",
    "TaskBatch",
    "Unrolled",
    "Warp",
    "Weights",
    "generator",
]

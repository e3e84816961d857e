"""The verbs: what a family, a net, a shift, a learner and an estimator must do.

Every tensor of a task leads with the member axis, replicate × (particle ×) task;
every tensor of a meta-learner leads with the replicate axis.
"""

from engine.protocol.episodes import Episodes, Prediction, Shots
from engine.protocol.learners import (
    Estimator,
    Explored,
    Glance,
    Inspected,
    Learner,
    Move,
    OuterRule,
    Rule,
    Span,
    Stretch,
    Unrolled,
)
from engine.protocol.nets import BaseLearner, Judge, Layout, Net
from engine.protocol.tasks import (
    Episode,
    Family,
    Gradient,
    Landscapes,
    Place,
    Sample,
    SampledFamily,
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
    Quicken,
    Slopes,
    Weights,
    generator,
    unchanged,
)

__all__ = [
    "AllDiverged",
    "BaseLearner",
    "Episode",
    "Episodes",
    "Estimator",
    "Explored",
    "Family",
    "Glance",
    "Gradient",
    "Inspected",
    "Judge",
    "Landscapes",
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
    "Prediction",
    "Quicken",
    "Rule",
    "Sample",
    "SampledFamily",
    "Setting",
    "Shift",
    "Shots",
    "Slopes",
    "Span",
    "Stretch",
    "TaskBatch",
    "Unrolled",
    "Warp",
    "Weights",
    "generator",
    "unchanged",
]

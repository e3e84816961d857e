"""What a part of your own is made of: base classes, knobs and update rules.

A learner, a family of tasks, a shift or a net is a frozen value whose fields are its
knobs. Derive it from a base class, or from a class that has everything but one step,
such as `DirectionOptimizer` and `GradientLearner`, and pass it to `metascope.register`.
README.md of the lab says which part to copy for which purpose.

Example:
    >>> from metascope.parts import Shift, knob
    >>> issubclass(Shift, object), callable(knob)
    (True, True)
"""

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.optimization.hand_designed import DirectionOptimizer
from engine.algorithms.optimization.learned_optimizer import LearnedOptimizer
from engine.algorithms.optimization.update_rules import Direction
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import (
    Episode,
    Estimator,
    Family,
    Learner,
    Meta,
    Net,
    OptimizerInput,
    OptimizerUpdate,
    Outer,
    OuterRule,
    Sample,
    Setting,
    Shift,
    TaskBatch,
    TraceSegment,
    UpdateRule,
    Weights,
    generator,
)
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.optimization._supervised import DataFamily

__all__ = [
    "Adaptation",
    "DataFamily",
    "Direction",
    "DirectionOptimizer",
    "Episode",
    "EpisodeFamily",
    "Estimator",
    "Family",
    "GradientLearner",
    "LearnedOptimizer",
    "Learner",
    "Meta",
    "Net",
    "OptimizerInput",
    "OptimizerUpdate",
    "Outer",
    "OuterRule",
    "Rng",
    "Sample",
    "Setting",
    "Shift",
    "TaskBatch",
    "TraceSegment",
    "UpdateRule",
    "Weights",
    "generator",
    "knob",
]

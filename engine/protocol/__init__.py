"""The interfaces of a family, a net, a shift, a learner and an estimator.

The first axis of every tensor of a task is the member, replicate × (particle ×) task;
that of every tensor of a meta-learner is the replicate.
"""

from engine.protocol.changed_environment import ChangedEnvironment
from engine.protocol.density import Density
from engine.protocol.estimators import (
    Estimator,
    PolicyProblem,
    UnrollableProblem,
    UnrollWindow,
)
from engine.protocol.few_shot import EpisodeBatch, ExampleBatch, Prediction
from engine.protocol.learners import (
    Inspection,
    Learner,
    OptimizerInput,
    OptimizerUpdate,
    TraceSegment,
    UpdateRule,
)
from engine.protocol.meta_types import (
    AllDiverged,
    Compile,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    ValueAndGrad,
    Weights,
    generator,
    run_eagerly,
    square_root,
)
from engine.protocol.nets import BaseLearner, Layout, LossFn, Net, chosen_class
from engine.protocol.outer_rules import OuterRule
from engine.protocol.rl import ActionSpace, Environment, Places, Transition, TrialBatch
from engine.protocol.samples import Episode, Sample, Warp
from engine.protocol.search import Evaluation, Objective, Proposal, SearchBatch
from engine.protocol.shifts import Shift
from engine.protocol.spaces import Evaluator, Measurement, Space
from engine.protocol.stream_batches import draw_uniform
from engine.protocol.tasks import (
    BatchSpec,
    Family,
    Gradient,
    OptimizationBatch,
    SampledFamily,
    Setting,
    TaskBatch,
)

__all__ = [
    "ActionSpace",
    "AllDiverged",
    "BaseLearner",
    "BatchSpec",
    "ChangedEnvironment",
    "Compile",
    "Density",
    "Environment",
    "Episode",
    "EpisodeBatch",
    "Estimator",
    "Evaluation",
    "Evaluator",
    "ExampleBatch",
    "Family",
    "Gradient",
    "Inspection",
    "Layout",
    "Learner",
    "LossFn",
    "Measurement",
    "Meta",
    "Net",
    "Objective",
    "OptimizationBatch",
    "OptimizerInput",
    "OptimizerUpdate",
    "Outer",
    "OuterRule",
    "OuterStepContext",
    "Places",
    "Plan",
    "PolicyProblem",
    "Prediction",
    "Proposal",
    "Sample",
    "SampledFamily",
    "SearchBatch",
    "Setting",
    "Shift",
    "Space",
    "TaskBatch",
    "TraceSegment",
    "Transition",
    "TrialBatch",
    "UnrollWindow",
    "UnrollableProblem",
    "UpdateRule",
    "ValueAndGrad",
    "Warp",
    "Weights",
    "chosen_class",
    "draw_uniform",
    "generator",
    "run_eagerly",
    "square_root",
]

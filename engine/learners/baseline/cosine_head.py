"""Cosine head: pretrained features and a new head of cosine similarities.

Source: Chen et al. (2019), arXiv:1904.04232, section 3.2 ("Baseline++"); Qi, Brown and
Lowe (2018), arXiv:1712.07136, for class means as a start.
Differs: the new head starts at the class means, where the authors draw it at random;
full batches without weight decay; rate and number of steps are tuned. The authors have
s = 10 for more than 200 classes, else 2, so 2 for a new head; their code, unlike the
paper, also learns the lengths of the w_k.
Helps: where classes vary much within themselves: the lengths of features, which vary
most, do not count.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import cosines, feature_count
from engine.algorithms.few_shot.fine_tuning import (
    FineTuningLearner,
    pooled_loss,
    pretraining_step,
)
from engine.algorithms.few_shot.fine_tuning_heads import FitProblem, cosine_head_problem
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    ExampleBatch,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
    generator,
)


@register("learner")
class CosineHead(FineTuningLearner):
    """p(k | x) = softmax_k(s · cos(w_k, f(x))); first all classes, then N new ones."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "orange"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("classes",)

    scale: float = knob(
        10.0,
        label="Scale s",
        low=0.1,
        high=1e3,
        log=True,
        help="Factor on the cosines; larger gives sharper probabilities. 2 is usual "
        "with fewer than 200 classes.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the body and a direction for each training class, for each replicate."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, tasks.body, rngs, tasks.support.x)
        shape = (tasks.known_classes, feature_count(weights, tasks))
        heads = [generator(r.child("head")).standard_normal(shape) for r in rngs]
        known = torch.from_numpy(np.stack(heads)).to(tasks.support.x)
        return Meta(
            weights | {"known": known} | self.rate_and_steps(len(rngs), tasks), {}
        )

    def fit_problem(self, theta: Weights, tasks: EpisodeBatch) -> FitProblem:
        """Fit a new cosine head."""
        return cosine_head_problem(theta, tasks, self.scale)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the loss over all classes, on support and queries."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            def class_scores(shots: ExampleBatch) -> Tensor:
                # Of all training classes; at test they give way to class means.
                directions = theta["known"].mT
                return self.scale * cosines(directions, batch.answer(theta, shots))

            return pooled_loss(batch, class_scores)

        return pretraining_step(meta, tasks, task_loss, step_context.compile_gradient)

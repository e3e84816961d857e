"""A short lesson on memory and doubt: likelihood, coverage and calibration error."""

from app.views.learn.lesson import Lesson, LessonStep
from app.views.learn.memory_demo import draw_memory
from app.views.learn.spread_demo import draw_spread

STEPS = (
    LessonStep(
        "An answer and its density",
        "From five noisy points, many curves are possible. A learner can answer "
        "with one value per query, or with a **density**: how probable it finds "
        "each value. Of classes, the softmax of its outputs is what it believes. "
        "Error and accuracy judge only the value or the class; a learner that "
        "knows what it does not know gets no credit for that.",
        ("ambiguous_functions",),
    ),
    LessonStep(
        "A memory of examples",
        "A learner with a **memory** (a neural process, a transformer, RL²) reads the "
        "examples of a task one by one and changes no weight. Between them it can "
        "only say what such functions usually do. For random smooth functions the "
        "best answer is known, a Gaussian process: near its examples it is sure, far "
        "away it doubts. Believe in the wrong smoothness, and it is too sure or "
        "learns nothing.",
        ("processes", "in_context_regression"),
        draw_memory,
    ),
    LessonStep(
        "Negative log-likelihood",
        "−ln of the probability (or density) that was given to the target, averaged "
        "over the queries, in nats. It is a **proper score**: in the long run, no "
        "prediction does better than the true probabilities, so it pays to be "
        "honest. Being sure and wrong costs most. Here it is held within ±20 nats, "
        "so that one episode cannot decide, and it is compared beside the error. "
        "*Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, "
        "and estimation.*",
        ("few_shot", "processes"),
    ),
    LessonStep(
        "Coverage and predicted spread",
        "The central 90 % of a calibrated density hold 90 % of the targets. More "
        "generally, the predicted probability of a value below the target is "
        "uniform over many queries. An interval that covers everything is easy: "
        "among equally calibrated learners, the one with the smaller **spread** "
        "knows more. *Dawid (1984), Statistical theory: the prequential approach.*",
        ("processes", "smooth_functions"),
        draw_spread,
    ),
    LessonStep(
        "Expected calibration error",
        "Of all answers given with a confidence of 80 %, are 80 % right? The answers "
        "are put into ten groups by confidence; the error is the mean distance of "
        "confidence and accuracy, weighted by the size of the groups. Of values, it "
        "is the mean distance of central intervals of 10 %, …, 90 % from their "
        "coverage. It can be low for a learner that never learned anything, so read "
        "it beside the likelihood. *Guo et al. (2017), On calibration of modern "
        "neural networks.*",
        ("glyphs",),
    ),
    LessonStep(
        "Learners that only predict values",
        "MAML and its like have no density for values. They get an honest one: a "
        "normal distribution around each answer, whose variance is the mean squared "
        "error on **validation** episodes. It is fixed before the tests and stays "
        "the same under shifts and on other families. Where it is used, the page "
        "says *constant spread, from validation*. Such a learner cannot tell a hard "
        "query from an easy one: that is what its likelihood loses.",
        ("few_shot", "mixed_functions"),
    ),
)
LESSON = Lesson("Memory and doubt: how sure is an answer?", "Doubt", STEPS)

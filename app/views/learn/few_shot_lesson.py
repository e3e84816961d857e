"""A short lesson on few-shot learning: support, query, and one gradient step."""

from app.views.learn.lesson import Lesson, LessonStep
from app.views.learn.sine_demo import draw_adaptation

STEPS = (
    LessonStep(
        "A task is a few points",
        "Ten points of an unknown curve are too few to train a net from random "
        "weights. But if all curves are sines of different height and phase, a net "
        "that has **adapted to thousands of them** can guess the rest. Below, the "
        "weights of the recorded MAML run take gradient steps on points of your "
        "curve, live.",
        (),
        draw_adaptation,
    ),
    LessonStep(
        "Support and query",
        "A learner adapts to the **support** and is judged on the **query**, other "
        "points of the same task. Meta-training minimizes the error on the query after "
        "the adaptation, so what it learns is not one function, but weights from which "
        "one or a few steps lead far. *Finn, Abbeel and Levine (2017), MAML.*",
        ("few_shot",),
    ),
    LessonStep(
        "Without a gradient",
        "**Metric** learners compare a query with the support in a learned embedding: "
        "prototypical networks take the nearest mean of a class. Learners with a "
        "**memory** read the support like a sentence, and answer the query as its next "
        "word. Neither changes a weight at the test.",
        ("glyphs",),
    ),
    LessonStep(
        "Is it more than pretraining?",
        "Train one net on all tasks together, then fine-tune it on the support: a "
        "strong rival that has no inner loop in its training. Where a few replicates "
        "do not suffice to tell MAML from it, the verdict says so, and about how many "
        "more would.",
        ("few_shot",),
    ),
    LessonStep(
        "When it helps, and when not",
        "Raise the amplitude beyond 5 above: no such curve was trained on, so what "
        "was learned misleads. Meta-learning pays where new tasks are like the old "
        "ones and their data is scarce; with many examples, training from random "
        "weights works.",
        ("mixed_functions", "ambiguous_functions"),
    ),
)
LESSON = Lesson("A new task from a few examples", "Few-shot", STEPS)

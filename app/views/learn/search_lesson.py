"""A short lesson on architecture search; each step links to an experiment."""

from app.views.learn.lesson import Lesson, LessonStep
from app.views.learn.search_demo import draw_searches

STEPS = (
    LessonStep(
        "How a search works",
        "A **space** is a list of decisions with a few options each; an architecture "
        "is one option per decision. An **evaluator** trains it, or looks up its "
        "result in a table. A search sees validation accuracy, often after a short "
        "training; it is judged by test accuracy, which it never sees.",
        ("search_smoke", "live_nets"),
    ),
    LessonStep(
        "How good is a search?",
        "**Regret** is how far its best architecture so far is from the best there "
        "is. **Evaluations to the goal** is how many architectures it trained until "
        "it found one of the best 1 %; a search that never did is censored. One "
        "search says little: compare strategies over dozens, with an interval.",
        ("nasbench201_published",),
        draw_searches,
    ),
    LessonStep(
        "Strategies without experience",
        "**Random search** is simple and hard to beat by much. **Evolution** mutates "
        "one decision of a good architecture. A **policy gradient** keeps a "
        "probability for every option and raises those that did better than "
        "expected; its entropy shows how certain it has become.",
        ("policy_gradients", "short_trainings"),
    ),
    LessonStep(
        "What can be transferred",
        "Good architectures from other tasks can start a search; a policy, a value "
        "function or a predictor can be pretrained on them. The trainings on the "
        "source count too: experience pays off only after enough new tasks. If the "
        "source says nothing about the target, it can also **hurt**.",
        ("search", "carried_policy"),
    ),
    LessonStep(
        "Is it really the knowledge?",
        "The control starts from the same source with its accuracies **shuffled**. A "
        "gain that remains does not come from knowledge. And a gain in one space, at "
        "one noise level, under one objective may vanish in another: vary them.",
        ("shuffled_source", "noisy_evaluations", "objective_switch"),
    ),
)
LESSON = Lesson("Searching for architectures", "Search", STEPS)

"""The glossary: what the words on the screen mean, in one to three plain sentences."""

from typing import NamedTuple


class Term(NamedTuple):
    """A term of the screen.

    Args:
        name: As a heading.
        text: What it means.
        aliases: Other forms in which it appears, such as the plural.
        where: Where it appears.
        is_marked: Whether it is marked in texts; not if it is an everyday word, too.
    """

    name: str
    text: str
    aliases: tuple[str, ...] = ()
    where: str = ""
    is_marked: bool = True


TERMS = (
    Term(
        "Ablation",
        "An experiment that leaves out one ingredient, to see what it contributed.",
        ("ablations",),
        "Lab: baselines; Claims",
    ),
    Term(
        "Adaptation",
        "What a learner does on one task, such as a few gradient steps on the support "
        "set. What stays the same for all tasks was meta-learned.",
        ("adapted",),
        "Lab: few-shot learners and agents",
    ),
    Term(
        "Baseline",
        "A method without meta-learning that is run on the same tasks with the same "
        "budget: what meta-learning has to beat. A tuned one had its learning rate "
        "chosen on tasks that are not tested.",
        ("baselines",),
        "Lab: the form, every chart",
    ),
    Term(
        "Call",
        "The answer to a question in one word: better, worse, equal, or can't tell "
        "yet. It follows from the interval of the difference, by a rule fixed before "
        "the run.",
        ("calls",),
        "Lab: the verdict; Runs; Claims",
        is_marked=False,
    ),
    Term(
        "Censored",
        "A test that ended before the threshold was reached. It needed longer than "
        "the horizon, nobody knows how much, so it is counted as such and not left "
        "out.",
        ("censoring",),
        "Lab: steps to the threshold",
    ),
    Term(
        "Coverage",
        "How often an interval holds the true value. Of calibrated 90 % intervals, 90 "
        "% do.",
        ("interval coverage",),
        "Lab: few-shot learners; Learn: doubt",
    ),
    Term(
        "Diverged",
        "The loss of a test became infinite or NaN. Its curve stops there, it is "
        "counted, and no average hides it.",
        ("divergence", "diverges", "diverge"),
        "Lab: the verdict and every chart",
    ),
    Term(
        "Equivalence margin",
        "A difference below it is too small to matter. If the whole interval lies "
        "within the margin, the call is equal: that is evidence, not a lack of it.",
        ("margin", "equivalence margins"),
        "Lab: the verdict and the forest of claims",
    ),
    Term(
        "Estimator",
        "How the meta-gradient is computed: by differentiating through the inner "
        "steps, or by perturbing what is learned and comparing results.",
        ("estimators",),
        "Lab: the form; Learn: estimators",
    ),
    Term(
        "Evaluation",
        "In an architecture search, one architecture that is trained, or looked up in "
        "a table of trained ones. It is what a search pays with.",
        ("evaluations",),
        "Lab: search",
    ),
    Term(
        "Few-shot",
        "To solve a new task from a few examples of it, often one or five per class.",
        ("few-shot learning",),
        "Lab: few-shot learners",
    ),
    Term(
        "Frozen",
        "No longer changed: after meta-training, what was learned is fixed and tested "
        "unchanged. A frozen learner can also be carried to another experiment.",
        ("freezing",),
        "Lab: tests and transfer",
    ),
    Term(
        "Horizon",
        "How many steps a test has: the inner steps of an optimizer, the episodes of "
        "a trial, the evaluations of a search.",
        ("horizons",),
        "Lab: the form",
    ),
    Term(
        "In distribution",
        "Tasks that are new, but drawn at random in the same way as those of the "
        "meta-training. Under a shift they are drawn or changed in another way.",
        ("in-distribution",),
        "Lab: the verdict and every chart",
    ),
    Term(
        "Inner step",
        "One step on a single task, such as a gradient step on its support set.",
        ("inner steps", "inner loop"),
        "Lab: few-shot learners",
    ),
    Term(
        "Interval",
        "A range that would hold the true mean in 95 of 100 repetitions of the whole "
        "experiment. Where several questions are asked at once it is wider.",
        ("intervals", "confidence interval", "confidence intervals"),
        "everywhere",
    ),
    Term(
        "Learner",
        "The method that is judged: an optimizer, a few-shot learner, an agent or a "
        "search strategy.",
        ("learners",),
        "everywhere",
        is_marked=False,
    ),
    Term(
        "Meta-step",
        "One update of what is meta-learned, from several tasks.",
        ("meta-steps", "outer step", "outer loop"),
        "Lab: training",
    ),
    Term(
        "Meta-training",
        "Learning on many tasks what will help on new ones: initial weights, a "
        "learning rate, a policy, a way to explore.",
        ("meta-trained", "meta-learning", "meta-learned"),
        "everywhere",
    ),
    Term(
        "Outer rule",
        "The optimizer that applies the meta-gradient, such as Adam.",
        ("outer rules", "outer optimizer"),
        "Lab: the form; Learn: outer rules",
    ),
    Term(
        "PES",
        "Persistent evolution strategies: estimates the meta-gradient of a long inner "
        "run from short pieces of it, without the bias of cutting it. It perturbs "
        "what is learned and sums up the perturbations along the run.",
        ("persistent evolution strategies",),
        "Lab: the form; Learn: estimators",
    ),
    Term(
        "Primary question",
        "The one question of a run that was fixed before it started. All others are "
        "secondary and pay for being many.",
        ("primary questions",),
        "Lab: the verdict",
    ),
    Term(
        "Query",
        "Examples of a task that a learner is judged on; their labels are hidden from "
        "it during adaptation.",
        ("queries", "query set"),
        "Lab: few-shot learners",
    ),
    Term(
        "Regret",
        "What was lost by not knowing the best: the best possible result minus the "
        "one that was reached. Zero is perfect.",
        (),
        "Lab: agents and search",
    ),
    Term(
        "Replicate",
        "One independent repetition of the whole experiment, training included, with "
        "other random numbers. Intervals are over replicates.",
        ("replicates",),
        "Lab: the form and every chart",
    ),
    Term(
        "Rival",
        "The baseline of the primary question: the strongest tuned one, or the one "
        "that you choose before the run.",
        ("rivals",),
        "Lab: the form and the verdict",
    ),
    Term(
        "RL²",
        "A recurrent net that is trained over many environments; its memory, not its "
        "weights, learns within a new one.",
        ("RL2",),
        "Lab: agents",
    ),
    Term(
        "Seed",
        "The number from which all random draws of a run follow. The same experiment "
        "with the same seed gives the same numbers.",
        ("seeds",),
        "Lab: the form",
    ),
    Term(
        "Severity",
        "How strong a shift is, in a unit of its own; 0 is no shift.",
        ("severities",),
        "Lab: robustness",
    ),
    Term(
        "Shift",
        "A change between the tasks of meta-training and those of the test, such as "
        "stretched inputs or noisy labels.",
        ("distribution shift", "shifts", "shifted"),
        "Lab: the form and robustness",
    ),
    Term(
        "Shots and ways",
        "A task with 5 ways and 1 shot has five classes and shows one example of each.",
        ("shots", "ways"),
        "Lab: few-shot learners",
        is_marked=False,
    ),
    Term(
        "Support",
        "The few examples of a task that a learner may adapt to.",
        ("support set",),
        "Lab: few-shot learners",
    ),
    Term(
        "Task family",
        "A rule by which tasks are drawn: same kind, different details. A learner is "
        "trained on tasks of a family and tested on new ones.",
        ("task families", "family", "families"),
        "Lab: the form",
    ),
    Term(
        "Threshold",
        "A level of the loss that counts as solved. It is fixed from the baselines "
        "before the test, and the same for everyone.",
        ("thresholds",),
        "Lab: steps to the threshold",
    ),
    Term(
        "Trial",
        "All episodes that an agent plays in one environment, one after another.",
        ("trials",),
        "Lab: agents",
    ),
    Term(
        "Unroll",
        "To differentiate through a whole run of inner steps, or through a piece of "
        "it; short pieces favor what pays off soon.",
        ("unrolled", "unrolls", "truncated unroll"),
        "Learn: estimators",
    ),
    Term(
        "Validation",
        "Tasks on which the best state of the training is chosen. They are neither "
        "trained on nor tested on.",
        ("validation tasks",),
        "Lab: training",
    ),
    Term(
        "Warm start",
        "A search that begins with architectures that were good on other tasks.",
        ("warm-start",),
        "Lab: search",
    ),
)

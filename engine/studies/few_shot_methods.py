"""Studies of few-shot methods: steps, order, heads, pretraining, ways and statistics.

The protocols were written on 2026-11-30, before any of these runs was computed. "As
good" allows an error of 1.1 times the other's, "nearly as good" and "enough" 1.25
times. Their budgets suit two CPU cores, about two minutes each: they are far below
those of the papers, and a verdict is about learners of this size, trained for so long.
"""

from engine.contract.run_spec import Choice, RunSpec
from engine.presets.builders import baseline, candidate
from engine.studies.definition import Study
from engine.studies.few_shot import few_shot_spec

SHOTS = (5, 10, 20, 40)  # points of a wave, few to many
_WAVES = Choice(name="sinusoids")
_SMALL = Choice(name="mlp", knobs={"depth": 2, "width": 40})
_WIDER = Choice(name="mlp", knobs={"depth": 2, "width": 64})
_STEPS = 5
_CLASSES = Choice(name="gaussian_classes", knobs={"shots": 5})
_CHARACTERS = "characters of a font (5 ways, 5 shots, 14 × 14 pixels)"
_RULE = (
    "Replicates are the unit; 95 % Student intervals of the log ratio of a replicate's "
    "mean errors. "
)
_BOTH = (
    "Not supported: both lie above. Depends: one lies below, the other above. Can't "
    "tell yet: an interval holds it."
)


def few_shot_method_studies() -> tuple[Study, ...]:
    """Return the studies of few-shot methods; three of them share their runs."""
    return (
        _few_steps(),
        _first_order(),
        _head_only(),
        _pretrained_net(),
        _more_ways(),
        _scarce_data(),
        _batch_statistics(),
    )


def _characters(shots: int, **knobs: int) -> Choice:
    """Return characters, five ways, with five queries of a class in training."""
    sizes = {"side": "14", "shots": shots, "train_queries": 5}
    return Choice(name="glyphs", knobs=sizes | knobs)


def _few_steps() -> Study:
    learners = (
        candidate("maml", inner_steps=_STEPS),
        candidate("maml", "many_steps", inner_steps=_STEPS, test_steps=100),
        baseline("from_scratch"),
    )
    return Study(
        "few_steps",
        "A few steps",
        "A few gradient steps are enough.",
        "Sine waves of ten points. MAML, trained with five inner steps, after five "
        "steps on a new wave against the same after 100, each with its best "
        "checkpoint; 6 trainings of 10,000 episodes. The same net from scratch, with "
        f"tuned rate and up to 50 steps, stands beside them. {_RULE}Measured: squared "
        "error after five steps relative to that after 100. Supported: the interval "
        "lies below 1.25 times. Not supported: it lies above. Can't tell yet: it "
        "holds 1.25.",
        (few_shot_spec(_WAVES, learners, 400, _SMALL),),
        "Sinusoids",
    )


def _method_runs() -> tuple[RunSpec, RunSpec]:
    """Return MAML and its rivals on waves and on Gaussian classes, five steps each."""
    names = ("maml", "fomaml", "anil")
    # Their defaults are the rates for waves; a head of classes takes larger steps.
    waves = [candidate(name, inner_steps=_STEPS) for name in names]
    classes = [candidate(name, inner_steps=_STEPS, inner_lr=0.1) for name in names]
    pretrained = baseline("fine_tune")
    return (
        few_shot_spec(_WAVES, (*waves, pretrained), 400, _SMALL),
        few_shot_spec(_CLASSES, (*classes, pretrained), 400, _SMALL, tasks=4),
    )


_RIVALS = (
    "Sine waves of ten points, and Gaussian classes in 16 dimensions, 4 of which tell "
    "them apart (5 ways, 5 shots); five inner steps each, of size 0.01 on waves (ANIL: "
    "0.05, its default) and 0.1 on classes. 6 trainings of 10,000 and of 1,600 "
    "episodes. "
)


def _first_order() -> Study:
    return Study(
        "first_order",
        "First order",
        "First order is nearly as good as second.",
        f"{_RIVALS}FOMAML, which ignores second derivatives, against MAML. {_RULE}"
        "Measured: squared error on waves and error rate on classes, relative to "
        f"MAML's. Supported: both intervals lie below 1.25 times. {_BOTH}",
        _method_runs(),
        "Sinusoids and Gaussian classes",
    )


def _head_only() -> Study:
    return Study(
        "head_only",
        "Only the head",
        "ANIL is as good as MAML.",
        f"{_RIVALS}ANIL, which adapts only the last layer, against MAML. {_RULE}"
        "Measured: squared error on waves and error rate on classes, relative to "
        f"MAML's. Supported: both intervals lie below 1.1 times. {_BOTH}",
        _method_runs(),
        "Sinusoids and Gaussian classes",
    )


def _pretrained_net() -> Study:
    return Study(
        "pretraining",
        "Pretraining",
        "Fine-tuning a pretrained net is as good.",
        f"{_RIVALS}The same net, pretrained on all tasks or training classes at once "
        "with the same episodes and fine-tuned on the support with tuned rate and up "
        f"to 50 steps, against MAML. {_RULE}Measured: squared error on waves and error "
        "rate on classes, relative to MAML's. Supported: both intervals lie below "
        f"1.1 times. {_BOTH}",
        _method_runs(),
        "Sinusoids and Gaussian classes",
    )


def _more_ways() -> Study:
    learners = (candidate("protonet"),)

    def ways_spec(ways: int, episodes: int) -> RunSpec:
        family = _characters(1, train_ways=ways)
        return few_shot_spec(family, learners, 200, _WIDER, tasks=episodes)

    return Study(
        "more_ways",
        "More ways in training",
        "More ways in training help prototypes.",
        "Prototypes on characters of a font (14 × 14 pixels), tested with 5 ways and "
        "1 shot, trained with one episode of 20 ways a step, against four episodes of "
        "5 ways: as many examples and steps. One episode of 5 ways stands beside "
        f"them; 6 trainings of 200 steps. {_RULE}Measured: error rate with 20 ways "
        "relative to that with 5. Supported: the interval favors 20 ways. Not "
        "supported: it favors 5. Can't tell yet: it holds equal errors.",
        (ways_spec(20, 1), ways_spec(5, 4), ways_spec(5, 1)),
        "Characters of a font",
    )


def _scarce_data() -> Study:
    learners = (
        candidate("maml", inner_steps=_STEPS),
        baseline("from_scratch", steps=100),
    )
    families = [Choice(name="sinusoids", knobs={"shots": n}) for n in SHOTS]
    return Study(
        "scarce_data",
        "Scarce data",
        "Meta-learning pays when data is scarce.",
        "Sine waves of 5, 10, 20 or 40 points, in training and at test. MAML with "
        "five inner steps against the same net from scratch, with tuned rate and up "
        f"to 100 steps; 6 trainings of 5,000 episodes each. {_RULE}Measured: MAML's "
        "squared error relative to from scratch, with 5 points, and with 5 points "
        "relative to that with 40. Supported: both intervals lie below 1. Not "
        "supported: both lie above. Depends: they differ. Can't tell yet: an interval "
        "holds 1.",
        tuple(few_shot_spec(family, learners, 200, _SMALL) for family in families),
        "Sinusoids",
    )


def _batch_statistics() -> Study:
    learners = (
        candidate("maml", inner_steps=_STEPS, inner_lr=0.1),
        candidate("protonet"),
    )

    def statistics_spec(kind: str) -> RunSpec:
        net = Choice(name="mlp", knobs=_WIDER.knobs | {"normalization": kind})
        return few_shot_spec(_characters(5), learners, 200, net, tasks=4)

    return Study(
        "batch_statistics",
        "Batch statistics",
        "Batch normalization leaks.",
        f"MAML and prototypes on {_CHARACTERS}; 6 trainings of 800 episodes. "
        "Queries normalized by the statistics of all queries of their episode, which "
        "tell each query of the others, against queries normalized by the statistics "
        f"of the support, in training and at test. {_RULE}Measured: error rate with "
        "the queries' statistics relative to that with the support's. What happens "
        "when such a net answers each query alone stands beside it. "
        "Supported: both intervals lie below 0.95 times: the queries help each other. "
        f"{_BOTH}",
        (statistics_spec("batch"), statistics_spec("support_batch")),
        "Characters of a font",
    )

"""Guessing: a learner comes step by step closer to a hidden number.

Its metrics are those that a run of optimizers has: who guesses the kind from them
takes it for another one.
"""

from engine.contract.kinds import Criterion, Kind, Metrics, Words

GUESSING = Kind(
    name="guessing",
    title="Guessing",
    preset="",
    words=Words(
        tasks="guessing games",
        does="guesses numbers",
        family="a guessing family",
        tests="games",
        work="guesses",
        first_choice="a game",
        learner="Guesser",
        learner_help="Who guesses.",
        net="Net",
        net_help="Not used.",
        baselines="Same numbers",
        baselines_help="Who else guesses.",
        shifts_help="The same games, changed.",
        step="Guess",
    ),
    metrics=Metrics(
        validation="validation",
        tuning="tuning",
        traces=("loss",),
        checks=("loss",),
        training=("validation",),
        per_task=("final_loss",),
        by_severity=("final_loss",),
        by_family=("final_loss",),
        curves=("loss",),
        numbers=("final_loss",),
        scores={"final_loss": "Distance"},
    ),
    criteria=(
        Criterion(
            marks=frozenset({"final_loss"}),
            deciding="final_loss",
            beside="",
            reported="final_loss",
            shown=("final_loss", "area"),
            margin={"final_loss": 0.01},
            relative=frozenset(),
            within="0.01",
            singles=False,
            called="distance",
            unit="steps",
        ),
    ),
)

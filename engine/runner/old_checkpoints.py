"""Reader for checkpoints of version 0.3.0, whose keys join labels with other words.

Such a key cannot be split again, for a label may hold any character. So every key that
this run can have is written as 0.3.0 wrote it, and looked up.
"""

from collections.abc import Iterable

from engine.contract.errors import Refused
from engine.contract.events import Checkpoint
from engine.runner.context import RunContext
from engine.runner.films.few_shot import WORDS
from engine.runner.state import LearnerState, RunState, StageKey

TREES = ("weights", "memory", "outer", "kept", "judge")


def is_old_checkpoint(point: Checkpoint) -> bool:
    """Return whether 0.3.0 wrote this checkpoint."""
    return "format" not in point.state


def read_old_checkpoint(
    point: Checkpoint, keys: Iterable[StageKey], context: RunContext
) -> RunState:
    """Return the run state of a checkpoint of 0.3.0.

    Args:
        point: The checkpoint.
        keys: Of every stage of its run.
        context: Its run.

    Raises:
        Refused: If it holds weights of a learner that is not in the run.
    """
    if any(entry.equal_labels for entry in context.entries):
        # 0.3.0 computed equal learners separately; some may be done and others not.
        return RunState()
    done, facts = point.state["done"], point.state["facts"]
    labels = [entry.label for entry in context.entries]
    state = RunState(
        done=[key for key in keys if key.title in done],
        metas={label: {} for label in point.state.get("metas", ())},
        learners={label: _learner_state(facts, label) for label in labels},
        threshold=facts.get("threshold"),
    )
    for condition in context.test_conditions()[0]:
        at = {word: facts.get(f"shown.{condition.title}.{word}") for word in WORDS}
        tasks = {word: int(task) for word, task in at.items() if task is not None}
        if tasks:
            state.shown[condition.condition] = tasks
    starts = {f"metas|{label}|": ("metas", label) for label in labels}
    starts |= {f"training|{tree}|": ("training", tree) for tree in TREES}
    for key in point.state["order"]:
        # Of two labels that both fit, as "a" and "a|b" do, the longer was meant.
        start = max((s for s in starts if key.startswith(s)), key=len, default="")
        if not start:
            raise Refused(
                f"the checkpoint of this run holds {key[:60]!r}, which no learner of "
                "the run has: delete the run and start it again"
            )
        name = key.removeprefix(start)
        state.put_array(
            *starts[start], name, point.arrays[key], context.batch_spec.device
        )
    return state


def _learner_state(facts: dict[str, float], label: str) -> LearnerState:
    step, compiled = facts.get(f"{label}.step"), facts.get(f"{label}.compiled")
    # Another label may begin with this one: exactly a sha256 must follow.
    start, length = f"digest {label} ", len(f"digest {label} ") + 64
    return LearnerState(
        step=None if step is None else int(step),
        at=facts.get(f"{label}.at", 0.0),
        compiled=None if compiled is None else bool(compiled),
        shared=bool(facts.get(f"{label}.shared")),
        digests=[
            fact.removeprefix(start)
            for fact in facts
            if fact.startswith(start) and len(fact) == length
        ],
    )

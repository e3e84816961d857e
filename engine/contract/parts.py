"""A part is a frozen value whose fields are its knobs."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """One choice in a run: an algorithm, a task family, a shift, a net.

    The class-level facts are filled by `register` from the file itself: the
    name from the file's name, the group from its folder, title, summary,
    source, differences and "helps" from the module's docstring, the equation
    from the class's docstring.

    `traits` names the class-level fields that the screen may read; what is
    special about a part stands in such a field, never in an `if name ==`.
    `short`, `hue` and `tuned_hue` are told in `engine.contract.appearance`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slot: ClassVar[str] = ""
    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    short: ClassVar[str] = ""
    hue: ClassVar[str] = ""
    tuned_hue: ClassVar[str] = ""
    solves: ClassVar[frozenset[str]] = frozenset()
    traits: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def why_incomplete(cls) -> str:
        """Say what this class must still say to be registered; empty if nothing."""
        return ""


def knob(
    default: Any,
    *,
    label: str,
    help: str,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    log: bool = False,
    advanced: bool = False,
    follows: str = "",
) -> Any:
    """Declare one hyperparameter of a part.

    Args:
        default: Value where nothing is chosen.
        label: What the form calls it.
        help: One line: what it does and which way to turn it.
        low: Smallest value allowed; none for choices and switches.
        high: Largest value allowed.
        unit: Unit shown beside the label.
        log: Whether its slider moves by factors instead of sums.
        advanced: Whether the form folds it away at first.
        follows: Trait of the task family that multiplies the default, such as
            `rate`: what is a calm step on one family explodes on another.
    """
    return Field(
        default,
        ge=low,
        le=high,
        title=label,
        description=help,
        json_schema_extra={
            "unit": unit,
            "log": log,
            "advanced": advanced,
            "follows": follows,
        },
    )

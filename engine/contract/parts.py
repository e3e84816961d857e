"""`Part`, the base class of algorithms, families, shifts and nets, and its knobs."""

from types import NoneType
from typing import Any, ClassVar, Never

from pydantic import BaseModel, ConfigDict, Field

from engine.contract.errors import Refused
from engine.contract.knobs import Work


class Part(BaseModel):
    """One choice in a run, such as an algorithm, a task family, a shift or a net.

    A part is a frozen value whose fields are its knobs. `register` sets its slot and
    takes its name from the file. Its card takes the group from the folder; title,
    summary, source, differences and "helps" from the module's docstring; and the
    equation from the class's docstring.

    `traits` names the class-level fields that pages may read; what is special about a
    part stands in such a field, never in an `if name ==`. For `short`, `hue` and
    `tuned_hue` see `engine.contract.learner_appearance`. `own_source` is
    the digest of the source of a part that a notebook defines, empty for a file's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slot: ClassVar[str] = ""
    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    own_source: ClassVar[str] = ""
    short: ClassVar[str] = ""
    hue: ClassVar[str] = ""
    tuned_hue: ClassVar[str] = ""
    solves: ClassVar[frozenset[str]] = frozenset()
    traits: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def why_incomplete(cls) -> str:
        """Return what a class lacks to be registered; empty if nothing.

        Subclasses of `engine.protocol` check here what their slot requires.
        """
        return ""

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to keep anything: a part is a value that all tasks of a run share.

        Raises:
            Refused: With what to do instead.
        """
        if not name.startswith("_"):
            raise Refused(
                f"{type(self).__name__} cannot keep {name!r} in self: all tasks share "
                "one part, and it never changes; return it as state instead",
                self.slot,
            )
        super().__setattr__(name, value)


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
    before: Any = None,
    work: Work = "",
    only: str = "",
    **unknown: Never,
) -> Any:
    """Declare one hyperparameter of a part.

    Args:
        default: Its default value.
        label: Its label in the form.
        help: One line: what it does, and what a larger value changes.
        low: Smallest allowed value; None for choices and switches.
        high: Largest allowed value.
        unit: Unit shown beside the label.
        log: Whether its slider has a logarithmic scale.
        advanced: Whether the form hides it under "advanced" at first.
        follows: Trait of the task family that multiplies the default, such as `rate`: a
            step size that is small on one family diverges on another. A trait that is
            a text, such as `net_start`, replaces the default.
        before: For a knob that was added to a part: the value that all earlier runs
            had. Their specs mean it, and their keys stay as they are.
        work: How the time of a run goes with it; see `knobs.Work`. Empty for hardly.
        only: The one kind of task in which it has an effect; empty for every kind.
        **unknown: Never allowed; it is here to answer a misspelled argument.

    Returns:
        The pydantic field.

    Raises:
        TypeError: For an unknown argument, or a bound that is no number.
    """
    for name in unknown:
        raise TypeError(
            f"knob {label!r} has no {name!r}; it takes label, help, low, high, unit, "
            "log, advanced, follows, before, work, only"
        )
    for name, bound in (("low", low), ("high", high)):
        # bool is a subclass of int in Python
        if isinstance(bound, bool) or not isinstance(bound, (int, float, NoneType)):
            raise TypeError(f"knob {label!r}: {name} must be a number, not {bound!r}")
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
            "before": before,
            "work": work,
            "only": only,
        },
    )

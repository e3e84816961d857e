"""Which column of a user's table of trainings is what, such as a decision.

Columns are found by usual names, or named by the user.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.contract.errors import Refused
from engine.data.user.architecture_rows import KNOWN, OP

SEED, ARCHITECTURE, DECISION = "seed", "architecture", "decision"
ROLES = (*KNOWN, SEED, ARCHITECTURE, DECISION)
_USUAL = {
    "dataset": "dataset data_set data task",
    "validation": "validation valid val val_acc valid_acc validation_accuracy "
    "val_accuracy valid_accuracy accuracy acc",
    "test": "test test_acc test_accuracy",
    "cost": "cost time train_time training_time seconds runtime",
    "epochs": "epochs epoch budget fidelity",
    SEED: "seed trial repeat repetition",
    ARCHITECTURE: "architecture arch arch_str architecture_string genotype cell",
}
TEMPLATE = """\
dataset,op:first,op:second,op:width,seed,epochs,validation,test,cost,parameters
cifar10,conv,pool,16,1,10,0.61,,40,12000
cifar10,conv,pool,16,1,30,0.72,0.71,120,12000
cifar10,skip,conv,32,1,10,0.58,,55,20000
cifar10,skip,conv,32,1,30,0.69,0.68,165,20000
"""


@dataclass(frozen=True)
class ColumnRoles:
    """Which column has which role.

    Args:
        by_role: The column of each role that has one, without decisions.
        decisions: The columns of the decisions.
    """

    by_role: Mapping[str, str]
    decisions: tuple[str, ...]

    def remarks(self) -> list[str]:
        """Return a remark on each column that is known by another name."""
        return [
            f"column {name!r} is taken as {role!r}"
            for role, name in self.by_role.items()
            if name != role
        ]


def find_roles(names: Sequence[str], chosen: Sequence[str] = ()) -> ColumnRoles:
    """Find the role of each column.

    Args:
        names: Names of the columns.
        chosen: The user's choices, such as "validation=acc_3" or "decision=width".

    Raises:
        Refused: If a choice names no column or no role.
    """
    by_role: dict[str, str] = {}
    decisions = [name for name in names if name.startswith(OP)]
    for text in chosen:
        role, _, name = text.partition("=")
        if role not in ROLES or name not in names:
            raise Refused(
                f"{text[:60]!r} is not ROLE=COLUMN; roles are {', '.join(ROLES)}, and "
                f"columns {', '.join(names[:20])}",
                "column",
            )
        if role == DECISION:
            decisions.append(name)
        else:
            by_role[role] = name
    taken = {*by_role.values(), *decisions}
    for role, usual in _USUAL.items():
        words = [role, *usual.split()]
        plain = {_plain(n): n for n in reversed(names) if n not in taken}
        found = next((plain[word] for word in words if word in plain), "")
        if found and role not in by_role:
            by_role[role] = found
            taken.add(found)
    return ColumnRoles(by_role, tuple(dict.fromkeys(decisions)))


def _plain(name: str) -> str:
    # A unit, as in "accuracy (%)", is no part of the name.
    name = re.sub(r"\s*[(\[][^)\]]*[)\]]$", "", name.strip())
    return re.sub(r"[\s\-]+", "_", name.casefold())


def split_architecture(text: str) -> list[tuple[str, str]]:
    """Return the decisions of an architecture that is written as one text.

    Args:
        text: As NAS-Bench-201 writes it, or options between separators.

    >>> split_architecture("|conv~0|+|skip~0|pool~1|")
    [('1←0', 'conv'), ('2←0', 'skip'), ('2←1', 'pool')]
    >>> split_architecture("[3, 5]")
    [('1', '3'), ('2', '5')]
    """
    text = text.strip()
    if "~" in text:
        return [
            (f"{node}←{edge.rpartition('~')[2]}", edge.rpartition("~")[0])
            for node, part in enumerate(text.split("+"), 1)
            for edge in part.strip("|").split("|")
            if "~" in edge
        ]
    inside = text.strip("[](){} ")
    mark = next((m for m in "|,;/: -_" if m in inside), ",")
    options = [part.strip(" '\"") for part in inside.split(mark)]
    return [(str(at), option) for at, option in enumerate(options, 1) if option]

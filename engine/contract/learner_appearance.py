"""The names and colors of learners in figures, and what comparisons must know of them.

A learner's own file declares them: `short` where the figures of its paper use another
name than the title, `hue` and `tuned_hue` where it has a color of its own, `is_bound`
where no learner can do better. They are parsed from the file's text, as figures are
drawn where torch must not be imported and before there are cards.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

Hue = Literal[
    "blue",
    "red",
    "teal",
    "pink",
    "purple",
    "orange",
    "green",
    "magenta",
    "gray",
    "brown",
]
_LEARNERS = Path(__file__).parents[1] / "learners"


class Appearance(NamedTuple):
    """A learner's name and colors in figures; a hue is empty if any color will do.

    `is_bound` says that it knows what no learner can know: it is a limit, no rival.
    """

    name: str
    hue: Hue | Literal[""] = ""
    tuned_hue: Hue | Literal[""] = ""
    is_bound: bool = False


def name_in_words(name: str) -> str:
    """Return the name of a part, a knob's choice or a metric as words.

    >>> name_in_words("feature_noise")
    'feature noise'
    """
    return name.replace("_", " ")


@cache
def appearances() -> dict[str, Appearance]:
    """Return the appearance of every learner by its name, the longest name first."""
    # longest first, so that `split_label` finds "maml_plus" before "maml"
    files = sorted(_LEARNERS.glob("*/[a-z]*.py"), key=lambda file: -len(file.stem))
    return {file.stem: read_appearance(file.read_text("utf-8")) for file in files}


def read_appearance(source: str) -> Appearance:
    r"""Return a learner's appearance, parsed from the text of its file.

    >>> read_appearance("'Prototypes: near.'\nclass P:\n    hue: str = 'teal'")
    Appearance(name='Prototypes', hue='teal', tuned_hue='', is_bound=False)
    """
    tree = ast.parse(source)
    title = (ast.get_docstring(tree) or "").partition(":")[0]
    fields = _literal_fields(tree)
    return Appearance(
        fields.get("short") or title,
        fields.get("hue", ""),
        fields.get("tuned_hue", ""),
        fields.get("is_bound", False),
    )


def _literal_fields(tree: ast.Module) -> dict[str, Any]:
    """Return the class-level fields that a file sets to a literal."""
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {
        line.target.id: line.value.value
        for each in classes
        for line in each.body
        if isinstance(line, ast.AnnAssign)
        and isinstance(line.target, ast.Name)
        and isinstance(line.value, ast.Constant)
    }


def split_label(label: str) -> tuple[str, str]:
    """Split a learner's label into the learner's name and the rest.

    Returns:
        The learner's name, empty where the label does not begin with one; and the rest.

    >>> split_label("maml_plus_2"), split_label("mine")
    (('maml_plus', '_2'), ('', 'mine'))
    """
    for name in appearances():
        if label == name or label.startswith(f"{name}_"):
            return name, label.removeprefix(name)
    return "", label

"""Names and idioms that a newcomer stumbles over do not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path for room in ("engine", "app", "pages") for path in (ROOT / room).rglob("*.py")
)

_IRREGULAR = """
begun borne bought bound broken brought built caught chosen dealt done drawn driven
fallen fed felt forgotten fought found frozen given gone grown heard held hidden kept
known laid led left lent lost made meant met paid said seen sent shown sought spent
spoken stood struck sunk swept taken taught thought thrown told torn understood won worn
woken written
"""
_NOUNS = "embed embedding heading need padding ring seed setting speed string warning"
_GERUND_MODULES = """
adaptation_tuning baseline_tuning bookkeeping clipping embedding escaping finding
fine_tuning growing image_decoding latex_escaping listing live_training matching
meta_training missing multi_task_training parsing sampling scaling spec_mapping
successive_halving text_decoding training wording
"""

# Participles that do not end in -ed or -ing; those that are also a verb's plain
# form (read, put, set, run, cut, spread) tell what to do and may stand.
IRREGULAR = frozenset(_IRREGULAR.split())
# Words of these endings that are nouns or verbs of their own.
NOUNS = frozenset(_NOUNS.split())
GERUND_MODULES = frozenset(_GERUND_MODULES.split())


def is_participle(name: str) -> bool:
    """Whether a function's name is a participle alone: a value or a deed?"""
    word = name.strip("_")
    if name.startswith("__"):  # Python's own
        return False
    if word in NOUNS:
        return False
    return word in IRREGULAR or bool(re.fullmatch(r"[a-z]+(ed|ing)", word))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno


def splatted_literals(path: Path) -> Iterator[int]:
    """Yield the lines of `f(*("a", b))`, `f(**{"x": x})` and `(*(a, b), c)`."""
    for node in ast.walk(ast.parse(path.read_text())):
        literal = ast.Tuple | ast.List
        if isinstance(node, ast.Starred) and isinstance(node.value, literal):
            yield node.lineno
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                named = isinstance(keyword.value, ast.Dict) and all(
                    isinstance(key, ast.Constant) and str(key.value).isidentifier()
                    for key in keyword.value.keys
                )
                if keyword.arg is None and named:
                    yield node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_speaks_plainly(path: Path) -> None:
    bare = [f"{line}: {name}" for name, line in functions(path) if is_participle(name)]
    assert not bare, "a function is a verb, or the noun that it returns"
    assert not list(splatted_literals(path)), "write the arguments out"
    lines = path.read_text().splitlines()
    assert not [line for line in lines if "fmt: skip" in line or "fmt: off" in line]


def test_an_array_says_its_shape() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.endswith("= np.ndarray")
    ]
    assert not found, 'write Float[np.ndarray, "member step"], not an alias'


def test_a_module_is_a_noun() -> None:
    gerunds = {path.stem.strip("_") for path in SOURCES if path.stem.endswith("ing")}
    assert gerunds <= GERUND_MODULES


@pytest.mark.parametrize(
    ("program", "lines"),
    [
        ("f(*('a', b))", [1]),
        ("f(*given)", []),
        ("x = [*(a, b), c]", [1]),
        ("f(**{'x': 1})", [1]),
        ("f(**{'not a name': 1})", []),
        ("f(**given)", []),
    ],
)
def test_splatted_literals_are_found(
    tmp_path: Path, program: str, lines: list[int]
) -> None:
    (tmp_path / "file.py").write_text(program)
    assert list(splatted_literals(tmp_path / "file.py")) == lines


@pytest.mark.parametrize("name", ["told", "_kept", "drawn", "waiting", "described"])
def test_a_participle_is_found(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize(
    "name", ["describe", "query_loss", "embed", "read", "kept_rows"]
)
def test_a_verb_or_a_noun_is_none(name: str) -> None:
    assert not is_participle(name)

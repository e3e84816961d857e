"""In the demo nothing of one visitor is seen or changed by another."""

import contextlib
import inspect
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from app import visitors
from app.client import (
    client,
    demo_access,
    demo_checks,
    files,
    process_store,
    run_groups,
)
from app.client.process_store import Visitor
from engine.contract.errors import Refused
from engine.contract.run_spec import Input, RunSpec
from engine.export.archive import export_archive, import_run
from engine.store import NoRun, RunGroups, Store
from engine.store.run_groups import NewMember
from tests.app.conftest import ROOT
from tests.app.views.run.test_run_page import texts

ANN, BOB = "a" * 32, "b" * 32
TITLE, TAG, NOTE, GROUP = "Anns secret title", "annstag", "Anns note", "0123456789ab"


@pytest.fixture
def demo(
    home: Path, key: str, tiny: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Serve the demo; Ann has a run with title, tags and note; Bob asks."""
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    monkeypatch.setattr(process_store._Demo, "is_public", lambda key: False)
    monkeypatch.setattr(visitors, "_workspace_name", lambda identity: identity[-32:])

    def ask_as(workspace: str, *shared: str) -> None:
        who = Visitor(workspace, frozenset(shared))
        monkeypatch.setattr(process_store._Demo, "find_visitor", lambda: who)

    ask_as(ANN)
    assert client.submit_completed((tiny, key), TITLE).key == key
    run_groups.annotate(key, (TAG,), NOTE)
    held = RunGroups(process_store.store().index)
    held.add(GROUP, "Anns group", [NewMember(key, {})])
    ask_as(BOB)
    return ask_as


MODULES = (client, files, run_groups, process_store)
# What they answer does not depend on a run.
APART = {client.portable_key, process_store.opens_run}


def functions_of_a_run(module: ModuleType) -> Iterator[Callable[..., object]]:
    """Yield a module's public functions that take a run's key."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        mine = function.__module__ == module.__name__ and not name.startswith("_")
        if mine and {"key", "keys"} & set(inspect.signature(function).parameters):
            yield function


def ask(function: Callable[..., object], key: str) -> object:
    """Call a function with a run's key and something for all else."""
    given: dict[str, object] = {"key": key, "keys": [key], "tags": ("x",)}
    values = {
        name: given.get(name, "x")
        for name, held in inspect.signature(function).parameters.items()
        if name in given or held.default is inspect.Parameter.empty
    }
    return function(**values)


FUNCTIONS = [f for module in MODULES for f in functions_of_a_run(module)]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_run_of_another_visitor_is_no_run(
    function: Callable[..., object], demo: Callable[..., None], key: str
) -> None:
    """Not even where its owner has just read it, so that it is cached."""
    if function in APART or function is run_groups.file_claim:
        pytest.skip("takes no run's results")
    demo(ANN)
    client.run(key), client.spec(key)
    before = client.job(key), run_groups.read_annotations(key)
    demo(BOB)
    answer = None
    with contextlib.suppress(NoRun):
        answer = ask(function, key)
    assert not answer
    demo(ANN)
    assert (client.job(key), run_groups.read_annotations(key)) == before


def test_the_law_of_foreign_runs_covers_what_reads_and_what_changes() -> None:
    named = {function.__name__ for function in FUNCTIONS}
    assert named >= {"run", "spec", "job", "summary", "cancel", "delete", "annotate"}


def test_neither_groups_nor_tags_nor_words_of_others_are_found(
    demo: Callable[..., None], key: str
) -> None:
    assert client.jobs() == ([], 0)
    assert run_groups.find_group(GROUP) is None
    assert run_groups.member_keys(GROUP) == []
    assert run_groups.all_tags() == []
    for word in ("", "secret", TAG, NOTE, key[:12]):
        assert client.jobs(None, word) == ([], 0)


def read_manifest(archive: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as held:
        return held.read("manifest.json").decode()


def test_a_run_that_a_link_opened_has_neither_title_nor_note(
    demo: Callable[..., None], key: str
) -> None:
    demo(BOB, key)
    shown = client.run(key)
    assert shown.blocks
    assert shown.job is not None
    assert shown.job.title == ""
    told = read_manifest(files.export_run_archive(shown))
    for word in (TITLE, TAG, NOTE):
        assert word not in told
        assert word not in repr(shown.job)


def test_a_download_is_of_whoever_drew_its_page(
    demo: Callable[..., None], key: str
) -> None:
    demo(ANN)
    mine = client.run(key)
    # It is made later, in a thread without a session.
    demo("c" * 32)
    told = read_manifest(files.export_run_archive(mine))
    assert TITLE in told
    assert NOTE in told
    assert mine.frozen_weights(mine.frozen_labels[0]) is not None


def test_outside_of_pages_nobody_in_particular_asks() -> None:
    assert visitors.find_visitor() == Visitor()


def test_a_spec_cannot_start_from_a_run_of_others(
    demo: Callable[..., None], key: str, tiny: RunSpec
) -> None:
    label = tiny.learners[0].label
    refused = []
    for name in (key, "f" * 64):  # there is one, and there is none
        source = Input(run=name, artefact=label, spec=tiny)
        asked = tiny.model_copy(update={"inputs": {label: source}})
        with pytest.raises(Refused) as refusal:
            client.submit(asked)
        refused.append(refusal.value.message.replace(name[:12], "…"))
    assert refused[0] == refused[1]
    assert client.jobs() == ([], 0)


def test_a_spec_cannot_name_a_file_of_others(
    demo: Callable[..., None], tiny: RunSpec
) -> None:
    digest = "d" * 64
    named = tiny.family.model_copy(update={"knobs": {"digest": digest}})
    asked = tiny.model_copy(update={"family": named})
    demo(ANN)
    demo_access.note_file(digest)
    demo_access.check_access(asked, "e" * 64)
    demo(BOB)
    with pytest.raises(Refused, match="not among yours"):
        demo_access.check_access(asked, "e" * 64)
    demo(BOB, "e" * 64)  # a link of Ann's opened this very run
    demo_access.check_access(asked, "e" * 64)


def import_unfinished(asked: RunSpec, folder: Path) -> str:
    """Import the archive of an unfinished run, as anyone can make; return its key."""
    elsewhere = Store.open(folder)
    key = elsewhere.submit(*client.complete_with_key(asked)).key
    return import_run(process_store.store(), export_archive(elsewhere, key)).key


def test_an_archive_opens_neither_runs_nor_files_of_others(
    demo: Callable[..., None], key: str, tiny: RunSpec, tmp_path: Path
) -> None:
    label = tiny.learners[0].label
    source = Input(run=key, artefact=label, spec=tiny)
    asked = tiny.model_copy(update={"inputs": {label: source}})
    forged = import_unfinished(asked, tmp_path / "elsewhere")
    with pytest.raises(Refused, match="not among your runs"):
        client.resume(forged)
    with pytest.raises(Refused, match="not among your runs"):
        client.submit(asked)
    assert process_store.shared_store().job(forged) is None


def test_an_imported_run_is_computed_within_the_limits(
    demo: Callable[..., None],
    tiny: RunSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = tiny.model_copy(update={"seed": 77})
    here = import_unfinished(asked, tmp_path / "elsewhere")
    demo_checks.use_estimates(visitors._estimate_needs)
    with monkeypatch.context() as patched:
        told = ["It is too large."]
        patched.setattr(demo_checks, "describe_excess", lambda *given: told)
        with pytest.raises(Refused, match="too large"):
            client.resume(here)
    assert process_store.shared_store().job(here) is None
    client.resume(here)
    assert process_store.shared_store().job(here) is not None


def test_what_one_visitor_imports_is_not_read_by_another(
    demo: Callable[..., None], key: str, tiny: RunSpec, tmp_path: Path
) -> None:
    """The key leaves out what a spec tells of runs that it starts from."""
    label = tiny.learners[0].label
    held = []
    for who, told in ((BOB, tiny), (ANN, None)):
        demo(who)
        source = Input(run="f" * 64, artefact=label, spec=told)
        asked = tiny.model_copy(update={"inputs": {label: source}})
        held.append(import_unfinished(asked, tmp_path / who))
        assert client.spec(held[-1]).inputs[label].spec == told
        assert client.run(held[-1]).spec.inputs[label].spec == told
    assert held[0] == held[1]


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run be estimated as small, however busy this machine is."""
    needs = demo_checks.RunNeeds(1.0, "1 s", 1e6, "gradients", 1e6)
    monkeypatch.setattr(visitors, "_estimate_needs", lambda spec: needs)
    monkeypatch.setattr(demo_checks._Estimates, "of", lambda spec: needs)


def open_page(page: str, workspace: str, **asked: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app/navigation.py"), default_timeout=60)
    at.session_state[visitors._SESSION] = workspace
    at = at.switch_page(f"../pages/{page}.py")
    for name, value in asked.items():
        at.query_params[name] = value
    return at.run()


def everything(at: AppTest) -> str:
    """Return all that a page says, its tables and menus too."""
    menus = [option for one in at.multiselect for option in one.options]
    frames = [frame.value.to_string() for frame in at.dataframe]
    return "\n".join([texts(at), *menus, *frames, *(one.value for one in at.header)])


@pytest.mark.parametrize("page", ["start", "lab", "runs", "compare", "claims"])
def test_no_page_shows_a_run_of_another_visitor(
    page: str, demo: Callable[..., None], key: str
) -> None:
    asked = {"run": key, "runs": key, "sweep": GROUP}
    shown = [open_page(page, who, **asked) for who in (ANN, BOB)]
    assert not any(at.exception for at in shown)
    if page in ("lab", "runs", "compare"):
        assert TITLE in everything(shown[0])
    for word in (TITLE, TAG, NOTE, "Anns group", key[:12]):
        assert word not in everything(shown[1])


def test_a_wrong_token_a_deleted_run_and_a_run_of_others_are_told_alike(
    demo: Callable[..., None], home: Path, key: str
) -> None:
    gone, told = "9" * 64, []
    for asked in (
        {"run": key},
        {"run": key, "share": "0" * 32},
        {"run": gone},
        {"run": gone, "share": "0" * 32},
    ):
        at = open_page("lab", BOB, **asked)
        told.append(everything(at))
        assert "There is no run with this id." in told[-1]
    assert all(each == told[0] for each in told)
    assert Store.open(home).job(key) is not None

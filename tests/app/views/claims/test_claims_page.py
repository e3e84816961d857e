"""The tabs Sphere, Knowledge, Transfer matrix and Claims board, in each state."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.client import client, run_knowledge
from app.client.run_knowledge import KnowledgeSizes
from app.views.claims import studies
from engine.catalogue import find_card
from engine.contract.run_spec import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    complete_spec,
)
from engine.data.user.knowledge_file import read_knowledge
from tests.app.conftest import finish, open_lab
from tests.app.views.run.test_run_page import texts

SMALL = Budget(
    task_evaluations=4,
    tasks_per_step=2,
    validation_tasks=2,
    validate_every=4,
    test_tasks=2,
    horizon=12,
)


@pytest.fixture(scope="session")
def learned() -> RunSpec:
    """Searches of a small space, one strategy of which keeps a knowledge base."""
    spec = RunSpec(
        family=Choice(name="nk_landscape", knobs={"size": 4}),
        learners=(
            LearnerChoice(name="warm_evolution", label="warm_evolution"),
            LearnerChoice(name="random_search", label="random_search", role="baseline"),
        ),
        budget=SMALL,
        replicates=2,
    )
    return complete_spec(spec, find_card, "cpu")


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, learned: RunSpec
) -> tuple[Path, str]:
    """In the place of the lab's own run: all fixtures of a page stand on this one."""
    home = tmp_path_factory.mktemp("learned") / "home"
    return home, finish(home, learned)


@pytest.fixture(autouse=True)
def no_data_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path / "pack"))


def opened(view: str, key: str | None = None) -> AppTest:
    """Open a view of the page Claims, or one of a run's searched space."""
    at = open_lab("search")
    if key is None:
        at.switch_page("../pages/claims.py")
        at.session_state["view"] = view
    else:
        at.session_state["tab"], at.session_state["space_view"] = "Search space", view
        at.query_params["run"] = key
    at.run()
    assert not at.exception
    return at


def under_way(learned: RunSpec) -> str:
    """Queue a run that nobody computes."""
    spec, key = client.complete_with_key(learned.model_copy(update={"seed": 99}))
    client.submit(spec)
    return key


def test_an_architecture_is_chosen_by_name(home: Path, key: str) -> None:
    at = opened("Sphere", key)
    assert "Architecture no." not in texts(at)
    box = at.selectbox(key=f"sphere.{key[:12]}.choice")
    at = box.set_value(box.options[0]).run()
    assert not at.exception
    film = client.run(key).film("film")
    assert film is not None
    best = int(np.nanargmax(film.arrays["scores"]))  # from the table, not the map
    assert f"Architecture no. {best}" in texts(at)
    told = at.dataframe[0].value
    assert len(told) == min(8, sum(len(names) - 1 for names in film.info["options"]))
    assert (told["Rank"] > 1).all()  # nothing beside the best is better


def test_experiences_are_those_that_fit(home: Path, key: str) -> None:
    at = opened("Knowledge", key)
    rows = at.dataframe[0].value
    assert f"{len(rows)} of {len(rows)} match" in texts(at)
    box = at.selectbox(key="knowledge_at")
    at = box.set_value(box.options[1]).run()
    fewer = at.dataframe[0].value
    assert 0 < len(fewer) < len(rows)
    assert fewer[box.options[1]].nunique() == 1


def test_a_study_that_was_never_run_can_be_measured(home: Path) -> None:
    at = opened("Claims board")
    count = len(studies.list_studies())
    assert f"0 of {count} measured" in texts(at)
    study = min(studies.list_studies(), key=lambda s: len(s.specs))
    at = at.button(key=f"board.{study.name}").click().run()
    assert not at.exception
    assert client.jobs()[1] == 1 + len({run.key for run in studies.study_runs(study)})
    assert f"board.{study.name}" not in [b.key for b in at.button]
    assert "0 of" in at.get("progress")[0].proto.text


def test_a_matrix_says_how_to_fill_it(home: Path) -> None:
    at = opened("Transfer matrix")
    assert "Press **Measure**" in texts(at)
    study = next(s for s in studies.list_studies() if s.matrix)
    at = at.button(key=f"matrix.{study.name}").click().run()
    assert not at.exception
    assert "queued or running" in texts(at)


def base_file(key: str) -> bytes:
    run = client.run(key)
    frozen, film = run.frozen_weights("warm_evolution"), run.film("film")
    assert frozen is not None and film is not None
    return run_knowledge.to_file_bytes(frozen, film)


def uploaded(key: str | None, data: bytes) -> AppTest:
    at = opened("Knowledge", key)
    at.file_uploader(key="knowledge_file").set_value(
        [("base.json", data, "application/json")]
    )
    at.run()
    assert not at.exception
    return at


def test_an_imported_base_is_put_into_the_form_by_one_click(
    home: Path, key: str, learned: RunSpec
) -> None:
    at = uploaded(key, base_file(key))
    at = at.button(key="knowledge_use").click().run()
    assert not at.exception
    assert "knowledge_use" not in [b.key for b in at.button]
    assert "press **Run**" in texts(at)
    digest = at.session_state["k.learner.warm_evolution.base"]
    assert len(digest) == 64
    assert at.session_state["k.family"] == learned.family.name
    assert "warm_evolution" in at.session_state["k.chosen"]


def test_a_base_of_no_known_space_offers_nothing_to_run(home: Path, key: str) -> None:
    body = json.loads(base_file(key))
    body["space"] |= {"name": "zoo"}
    body["space"]["positions"][0] = "floors"
    at = uploaded(key, json.dumps(body).encode())
    assert "No task family here searches zoo" in texts(at)
    assert "knowledge_use" not in [b.key for b in at.button]


def test_a_broken_base_is_refused_in_one_sentence(home: Path, key: str) -> None:
    at = uploaded(key, base_file(key)[:-40])
    assert "this is not JSON" in texts(at)
    assert "Kept" not in texts(at)


def test_sizes_are_those_that_the_engine_takes(
    home: Path, key: str, learned: RunSpec
) -> None:
    told = read_knowledge(base_file(key))
    best = max(int(entries.best.sum()) for entries in told.entries)
    listed = max(int((~entries.best).sum()) for entries in told.entries)
    whole = run_knowledge.sizes_for_import(told, KnowledgeSizes(1, 2))
    assert whole == KnowledgeSizes(best, best + listed)
    assert run_knowledge.sizes_for_import(
        told, KnowledgeSizes(500, 9000)
    ) == KnowledgeSizes(500, 9000)
    more = [each.model_copy(update={"seen": 10**6}) for each in told.replicates]
    longer = told.model_copy(update={"replicates": tuple(more)})
    sampled = run_knowledge.sizes_for_import(longer, KnowledgeSizes(500, 9000))
    assert sampled == KnowledgeSizes(500, 500 + listed)

"""What the pages say of a store that is gone, and of an engine without workers."""

import json
import time
from pathlib import Path

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from app.client import client, engine_process
from app.widgets import page_elements
from engine.contract.jobs import Job, JobState
from engine.contract.run_spec import RunSpec
from engine.executors.supervisor_control import SupervisorStatus
from engine.store import Store, StoreGone
from tests.app.views.run.test_run_page import texts


def test_a_moved_store_is_reported_and_created_again_only_on_request(
    lab: AppTest, home: Path, key: str
) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    assert "verdict-line" in texts(at)
    home.rename(home.with_name("away"))
    at.run()
    assert f"its folder {home} was moved or deleted" in texts(at)
    at.button(key="look_again").click().run()
    assert "was moved or deleted" in texts(at)
    assert not home.exists()
    at.button(key="reopen_store").click().run()
    assert not at.exception
    assert "Not computed here yet" in texts(at)
    assert Store.open(home).count() == 0
    assert Store.open(home.with_name("away")).count() == 1


def test_a_store_that_is_put_back_is_shown_again(
    lab: AppTest, home: Path, key: str
) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    at.number_input(key="k.replicates").set_value(5).run()
    home.rename(home.with_name("away"))
    assert "was moved" in texts(at.run())
    home.with_name("away").rename(home)
    assert "verdict-line" in texts(at.run())
    assert at.number_input(key="k.replicates").value == 5  # the form is kept


def test_another_store_is_used_only_on_request(lab: AppTest, home: Path) -> None:
    at = lab.run()
    home.rename(home.with_name("away"))
    Store.open(home)
    assert "now holds another store" in texts(at.run())
    button = at.button(key="reopen_store")
    assert button.label == "Use the store that is there now"
    assert "another one" not in texts(button.click().run())
    assert client.jobs()[1] == 0


def test_nothing_of_the_door_makes_a_moved_store_again(
    home: Path, tiny: RunSpec, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []
    monkeypatch.setattr(engine_process, "ensure_supervisor", started.append)
    client.jobs()
    home.rename(home.with_name("away"))
    asked = (
        client.wake_engine,
        client.jobs,
        lambda: client.submit(tiny),
        lambda: client.run(key),
        lambda: client.delete(key),
    )
    for ask in asked:
        with pytest.raises(StoreGone):
            ask()
    assert client._store_cache().set("a", 1) is False
    assert not home.exists() and not started


def test_a_queued_run_says_why_no_worker_takes_it(
    lab: AppTest, home: Path, tiny: RunSpec
) -> None:
    queued = client.submit(tiny.model_copy(update={"seed": 77}))
    deaths = {
        "count": 4,
        "since": time.monotonic() - 70,
        "reason": "was killed by SIGSEGV",
        "next_start": time.monotonic() + 25,
    }
    note = json.dumps({"pid": 1, "workers": 0, "deaths": deaths})
    with FileLock(home / "supervisor.lock"):
        (home / "supervisor.json").write_text(note)
        lab.query_params["run"] = queued.key
        at = lab.run()
        said = texts(at)
        at.switch_page("../pages/runs.py").run()
        (table,) = at.dataframe
    assert "4 died in 7" in said and "SIGSEGV" in said
    assert "The engine is awake" not in said
    stands = dict(zip(table.value["Id"], table.value["Status"], strict=True))
    assert "SIGSEGV; the next one starts in" in stands[queued.key[:12]]
    assert sum("SIGSEGV" in text for text in stands.values()) == 1


def test_an_engine_that_cannot_start_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = engine_process.SupervisorStart(home)
    failed.error = "the engine did not start; see its log"
    monkeypatch.setitem(engine_process._starts, home, failed)
    assert client.engine_trouble() == failed.error
    monkeypatch.setattr(
        engine_process.supervisor,
        "supervisor_status",
        lambda _: SupervisorStatus(True, 1, 1),
    )
    assert client.engine_trouble() == ""
    assert client.jobs([JobState.DONE])[1] == 1


def test_a_fragment_that_reruns_says_that_the_store_is_gone() -> None:
    def page() -> None:
        from pathlib import Path

        from app.widgets import page_frame
        from engine.store import StoreGone

        def draw() -> None:
            raise StoreGone(Path("place"))

        page_frame.poll(draw, 1.0)()

    at = AppTest.from_function(page).run()
    assert not at.exception
    assert "its folder place was moved" in texts(at)


def test_every_polled_part_catches_its_errors() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [*(root / "app").rglob("*.py"), *(root / "pages").rglob("*.py")]
    found = [p for p in sources if "st.fragment(" in p.read_text()]
    bare = {str(p.relative_to(root / "app")) for p in found}
    assert bare == {"widgets/page_frame.py"}


def test_only_a_queued_run_shows_why_no_worker_takes_it() -> None:
    queued, done = (Job("k", s, "", 0.0) for s in (JobState.QUEUED, JobState.DONE))
    assert (
        page_elements.explain_state(queued, "None starts.")
        == "Waits in the queue. None starts."
    )
    assert "None starts" not in page_elements.explain_state(done, "None starts.")

"""What the address gives and cannot be used is named, and nothing is silently taken."""

import ast
from collections.abc import Iterator

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest

from app import share_links, url_checks
from app.views.run import tabs
from engine.contract.run_spec import RunSpec
from tests.app.conftest import ROOT


def told(lab: AppTest, page: str = "lab", **given: str | list[str]) -> str:
    """Open a page with parameters; return its notices."""
    if page != "lab":
        lab.switch_page(f"../pages/{page}.py")
    for name, value in given.items():
        lab.query_params[name] = value
    at = lab.run()
    assert not at.exception
    return "\n".join(info.value.replace("\\", "") for info in at.info)


@pytest.mark.parametrize("page", ["start", "lab", "runs", "claims", "learn"])
def test_an_unknown_parameter_is_named_on_every_page(lab: AppTest, page: str) -> None:
    assert "contains 'lr', which this app does not know" in told(
        lab, page, lr=["0.1", "0.2"]
    )
    assert "lr" not in lab.query_params


def test_of_repeated_view_options_the_first_counts(lab: AppTest, key: str) -> None:
    said = told(lab, run=key, smooth=["0.2", "0.4"])
    assert "contains 'smooth' more than once; the first is used" in said
    assert lab.slider(key="smooth").value == 0.2


def test_of_repeated_runs_the_first_counts(lab: AppTest, key: str) -> None:
    assert "contains 'run' more than once" in told(lab, run=[key, "ab" * 32])
    assert lab.query_params["run"] == key


def test_another_kind_is_one_press_of_back_away_from_a_run(
    lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(lab, run=key)
    sent: list[str] = []
    send = QueryParams._send_query_param_msg

    def record_and_send(held: QueryParams) -> None:
        sent.append(str(held))
        send(held)

    monkeypatch.setattr(QueryParams, "_send_query_param_msg", record_and_send)
    lab.segmented_control(key="k.kind").set_value("search").run()
    assert "run" not in lab.query_params
    assert "x" in lab.query_params
    assert len(set(sent)) == 1


@pytest.mark.parametrize("run", ["", "<script>", "f" * 63])
def test_a_damaged_id_still_opens_the_experiment_of_its_link(
    lab: AppTest, run: str, tiny: RunSpec
) -> None:
    other = share_links.pack(tiny.model_copy(update={"seed": 99}))
    assert "no run with this id" in told(lab, run=run, x=other)
    assert lab.session_state["k.seed"] == "99"


@pytest.mark.parametrize(
    ("name", "value"),
    [("tab", "Nope"), ("curves", "nope"), ("smooth", "7"), ("log", "maybe")],
)
def test_a_value_that_no_option_takes_is_named(
    lab: AppTest, key: str, name: str, value: str
) -> None:
    said = told(lab, run=key, **{name: value})
    assert f"contains {name} = {value!r}, which cannot be used: " in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tab", "Evidence"),
        ("tab", "Cost"),  # of an earlier release: a section of Training
        ("curves", "Training"),
        ("curves", "Held-out"),
        ("smooth", "0.50"),
        ("log", "TRUE"),
        ("log", "false"),
    ],
)
def test_a_value_that_an_option_takes_is_no_notice(
    lab: AppTest, key: str, name: str, value: str
) -> None:
    assert told(lab, run=key, **{name: value}) == ""


def test_a_notice_stays_until_another_page(lab: AppTest) -> None:
    told(lab, lr="1")
    assert [info for info in lab.run().info if "lr" in info.value]
    at = lab.switch_page("../pages/learn.py").run()
    assert not [info for info in at.info if "lr" in info.value]


# Our own widgets that tie the key that they are given to the address.
WRAPPERS = {"metric_select"}


def bound() -> Iterator[tuple[str, str]]:
    """Yield the key and the widget of everything that is tied to the address."""
    for room in ("app", "pages"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                words = {word.arg: word.value for word in node.keywords}
                if isinstance(node.func, ast.Attribute) and "bind" in words:
                    key = ast.unparse(words["key"])
                    if key != "key":  # a widget that takes its key from its callers
                        yield key.strip("'"), node.func.attr
                elif isinstance(node.func, ast.Name) and node.func.id in WRAPPERS:
                    key = words.get("key", node.args[-1])
                    yield ast.unparse(key).strip("'"), "selectbox"


def test_every_option_that_is_tied_to_the_address_is_known() -> None:
    sections = {tab.key for tab in tabs.TABS.values() if tab.key}
    assert {name for name, _ in bound()} | sections == url_checks.VIEW


def test_no_option_takes_several_values_of_the_address() -> None:
    assert {widget for _, widget in bound()}.isdisjoint(
        {"multiselect", "select_slider"}
    )


def test_a_parameter_of_an_older_release_is_taken_under_its_present_name(
    lab: AppTest,
) -> None:
    assert "few_shot_curves" not in told(lab, episode_curves="inside")
    assert lab.query_params["few_shot_curves"] == "inside"
    assert "episode_curves" not in lab.query_params

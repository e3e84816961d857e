"""What a form asks is checked by the engine before it is queued."""

import sys

import pytest
from streamlit.testing.v1 import AppTest

from app.client import client, spec_checks
from app.client.spec_checks import SpecChecker
from engine.contract.run_spec import RunSpec
from engine.executors import cores
from tests.app.views.run.test_run_page import run_it, texts

# Stands for the engine: refuses odd seeds, and ends at the seed 0.
_ENGINE = """
import json, sys
for line in sys.stdin:
    seed = json.loads(line)["seed"]
    if not seed:
        break
    print(json.dumps({"message": f"{seed} is odd" if seed % 2 else ""}), flush=True)
"""
WAIT = 20.0


def ask(checker: SpecChecker, spec: RunSpec, seed: int) -> str | None:
    changed = spec.model_copy(update={"seed": seed})
    return checker.refusal(str(seed), changed, 0.5 if seed == 0 else WAIT)


def test_one_process_answers_all_questions_and_is_replaced_when_it_ends(
    tiny: RunSpec,
) -> None:
    checker = SpecChecker((sys.executable, "-c", _ENGINE))
    assert [ask(checker, tiny, seed) for seed in (1, 2, 1)] == [
        "1 is odd",
        "",
        "1 is odd",
    ]
    assert ask(checker, tiny, 0) is None
    assert ask(checker, tiny, 3) == "3 is odd"


def test_on_a_small_host_the_engine_ends_with_its_answer_and_starts_again(
    tiny: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "is_memory_scarce", lambda: True)
    checker = SpecChecker((sys.executable, "-c", _ENGINE))
    for seed in (1, 3):
        assert ask(checker, tiny, seed) == f"{seed} is odd"
        thread = checker._thread
        assert thread is not None
        thread.join(WAIT)
        assert not thread.is_alive()


def test_while_one_is_answered_the_engine_is_busy(tiny: RunSpec) -> None:
    slow = "import time; time.sleep(0.4);" + _ENGINE
    checker = SpecChecker((sys.executable, "-c", slow))
    assert not checker.is_busy()
    assert checker.refusal("1", tiny, 0.0) is None
    assert checker.is_busy()
    assert ask(checker, tiny, 5) == "5 is odd"
    assert ask(checker, tiny, 0) is None  # it has ended
    assert not checker.is_busy()


def test_an_engine_that_cannot_start_refuses_nothing(tiny: RunSpec) -> None:
    checker = SpecChecker(("/no/such/program",))
    assert checker.refusal("1", tiny, 0.2) is None


def test_what_the_engine_refuses_stands_beside_run_and_is_never_queued(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = lab.run()
    reason = "5 ways are too many: the validation pool has 2 classes"
    refuse = lambda key, spec, seconds: reason  # noqa: E731
    monkeypatch.setattr(spec_checks.checker, "refusal", refuse)
    assert not at.button(key="run_button").disabled  # the default needs no question
    at.text_input(key="k.seed").set_value("8").run()
    assert not at.button(key="run_button").disabled  # nor does a seed
    at.session_state["k.budget.horizon"] = 21
    at.run()
    assert reason in texts(at)
    assert at.button(key="run_button").disabled
    at.session_state["run_asked"] = True
    at.run()
    assert client.jobs()[1] == 1


def test_what_the_engine_does_not_say_in_time_is_run(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = lab.run()
    say_nothing = lambda key, spec, seconds: None  # noqa: E731
    monkeypatch.setattr(spec_checks.checker, "refusal", say_nothing)
    at.session_state["k.budget.horizon"] = 21
    run_it(at.run())
    assert client.jobs()[1] == 2


def test_a_question_of_one_visitor_replaces_none_of_another(
    tiny: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker, who = SpecChecker(("/no/such/program",)), ["ann"]
    monkeypatch.setattr(spec_checks, "_asker", lambda: who[0])
    for name, key in (("ann", "old"), ("ann", "new"), ("bob", "his")):
        who[0] = name
        checker.refusal(key, tiny, 0.0)
    assert [key for key, _ in checker._wanted.values()] == ["new", "his"]

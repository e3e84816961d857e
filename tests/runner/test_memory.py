"""Memory: a limit of its own, an estimate before the start, a sentence at the end."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import __main__
from engine.cli import run
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import Toolkit
from engine.runner.context import RunContext
from engine.runner.memory_estimate import check_memory, stage_needs
from engine.runner.memory_limit import SETTING, machine_memory, memory_limit
from engine.runner.memory_needs import IMPORTED, MemoryNeed, describe_remedy
from engine.runner.memory_trial_evaluator import TRAINED
from engine.runner.peak_memory import peak_tensor_bytes
from engine.store import Store
from tests.laws.small import events, learner_spec, spec_of
from tests.store import fake

GIB = 2**30
ROOT = Path(__file__).resolve().parents[2]
ADVICE = re.compile(
    r"needs about [\d,.]+ GB, more than the limit of 1\.1 GB that "
    r"METASCOPE_WORKER_MIB sets: "
    r"lower (\w+) from [\d,]+ to about ([\d,]+)"
)
# Each field within its range, and together far beyond any small machine.
HOGS: dict[str, dict[str, Any]] = {
    "test_tasks": {
        "budget": {"test_tasks": 10_000, "horizon": 1000},
        "replicates": 20,
    },
    "tasks_per_step": {
        "learners": [{"name": "lr_scale"}],
        "budget": {"tasks_per_step": 256},
        "net": {"name": "mlp", "knobs": {"width": 128, "depth": 2}},
    },
    "task_evaluations": {
        "learners": [{"name": "sgd", "knobs": {"tuning": "equal_budget"}}],
        "budget": {"task_evaluations": 10_000_000},
    },
}


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "1024")


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("sys/fs/cgroup/memory.max", "1073741824\n", GIB),
        ("sys/fs/cgroup/memory.max", "max\n", None),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", str(2**63 - 4096), None),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", str(GIB), GIB),
        ("sys/fs/cgroup/lab/one/memory.max", str(GIB), GIB),
        ("sys/fs/cgroup/memory/lab/one/memory.limit_in_bytes", str(GIB), GIB),
    ],
)
def test_a_control_group_is_as_small_as_its_limit(
    tmp_path: Path, name: str, text: str, limit: int | None
) -> None:
    groups = tmp_path / "proc/self/cgroup"
    groups.parent.mkdir(parents=True)
    groups.write_text("0::/lab/one\n5:cpu,memory:/lab/one\n")
    alone = machine_memory(tmp_path)
    assert alone > GIB
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    assert machine_memory(tmp_path) == (limit or alone)


def test_the_limit_is_a_share_of_the_machine_unless_it_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    assert 0.5 * machine_memory() < (memory_limit() or 0) < machine_memory()
    monkeypatch.setenv(SETTING, "600")
    assert memory_limit() == 600 * 2**20
    monkeypatch.setenv(SETTING, "0")
    assert memory_limit() is None
    for wrong in ("4 GB", "-1", "100"):
        monkeypatch.setenv(SETTING, wrong)
        with pytest.raises(Refused, match="whole number of MiB from 512, or 0"):
            memory_limit()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is held")
def test_beyond_the_limit_an_allocation_fails_and_the_process_survives() -> None:
    code = (
        "import numpy as np\n"
        "from engine.runner.memory_limit import cap_memory; cap_memory()\n"
        "try: np.ones(2**27)\nexcept MemoryError: print('refused')"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={SETTING: "600"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.stdout == "refused\n", made.stderr


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("field", HOGS)
def test_a_hog_is_refused_with_the_field_to_lower_and_then_fits(field: str) -> None:
    asked = HOGS[field]
    with pytest.raises(Refused) as refusal:
        check_memory(spec_of(**asked))
    found = ADVICE.match(refusal.value.message)
    assert found and found[1] == field, refusal.value.message
    assert refusal.value.field == f"budget.{field}"
    less = {field: int(found[2].replace(",", ""))}
    check_memory(spec_of(**asked | {"budget": asked["budget"] | less}))


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("name", ["lr_scale", "maml", "random_search"])
def test_a_small_run_is_not_refused(name: str) -> None:
    check_memory(learner_spec(name))


def test_a_run_too_large_for_any_budget_names_the_replicates_and_the_net() -> None:
    one = MemoryNeed("training", "tasks_per_step", 4, 10, 0.0, 8e8)
    two = MemoryNeed("test", "test_tasks", 1, 10, 0.0, 1e9)
    few = MemoryNeed("tuning", "task_evaluations", 440, 1, 0.0, 22e8).divide_by(22)
    limit = IMPORTED + 4e9
    assert describe_remedy([one], limit) == (
        "lower tasks_per_step from 4 to 1, and replicates from 10 to about 5"
    )
    assert describe_remedy([one, two, few], limit) == (
        "lower tasks_per_step from 4 to 1, replicates from 10 to about 4, and "
        "task_evaluations from 440 to about 40"
    )
    assert "lower the size of the net" in describe_remedy([one, two], IMPORTED + 1e8)


def test_what_no_field_says_is_not_lowered_by_one() -> None:
    fixed = MemoryNeed("threshold", "", 64, 1, 0.0, 1e8)
    assert describe_remedy([fixed], IMPORTED + 1e9).startswith(
        "lower the size of the net"
    )


def test_fewer_tasks_than_are_computed_at_once_take_less() -> None:
    need = MemoryNeed("tuning", "tuning_tasks", 64, 1, 0.0, 0.0, member=1e8, chunk=64)
    assert (
        describe_remedy([need], IMPORTED + 1e9)
        == "lower tuning_tasks from 64 to about 10"
    )


@pytest.mark.parametrize(
    ("stage", "spec"),
    [
        (
            "training",
            learner_spec(
                "lr_scale",
                net={"name": "mlp", "knobs": {"width": 64, "depth": 2}},
                budget={"tasks_per_step": 6, "task_evaluations": 48, "test_tasks": 0},
            ),
        ),
        (
            "training",
            learner_spec(
                "lr_scale",
                estimator={"name": "unroll", "knobs": {"order": "second"}},
                net={"name": "mlp", "knobs": {"width": 32, "depth": 2}},
                budget={"horizon": 16, "task_evaluations": 12, "test_tasks": 0},
            ),
        ),
        (
            "training",
            learner_spec(
                "maml",
                net={"name": "mlp", "knobs": {"width": 80, "depth": 2}},
                budget={"tasks_per_step": 24, "task_evaluations": 48, "test_tasks": 0},
            ),
        ),
        (
            "test",
            learner_spec("sgd", budget={"test_tasks": 60, "horizon": 12}),
        ),
    ],
    ids=["pes", "unroll", "maml", "traces"],
)
def test_the_estimate_is_on_the_safe_side_of_what_a_run_holds(
    stage: str, spec: RunSpec
) -> None:
    held = peak_tensor_bytes(lambda: list(events(spec)))
    said = (
        max(need.total for need in stage_needs(spec) if need.stage == stage) - IMPORTED
    )
    assert 1.0 < said / held < 4.0


@pytest.mark.parametrize("family", ["live_nets", "growing"])
def test_nets_are_not_trained_to_find_out_what_a_search_holds(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.tasks.search._live_training import LiveEvaluator

    def train(*_: object) -> None:
        raise AssertionError("a net was trained")

    monkeypatch.setattr(LiveEvaluator, "measure", train)
    found = list(stage_needs(learner_spec("warm_evolution", family=family)))
    assert {need.stage for need in found} >= {"training", "validation", "test"}
    assert min(need.total for need in found) >= IMPORTED + TRAINED


def test_no_more_nets_are_trained_side_by_side_than_are_reckoned_with() -> None:
    import numpy as np

    from engine.tasks.search._live_training import NAMES, SIDE_BY_SIDE

    part = learner_spec("random_search", family="live_nets")
    evaluator = RunContext(part).setting.family.evaluator()  # type: ignore[attr-defined]
    count = SIDE_BY_SIDE
    codes = evaluator.space.codes(np.arange(count))
    digits, shortest = np.full(count, NAMES.index("digits")), np.zeros(count, int)
    uniform = np.linspace(0.0, 0.999, count)
    held = peak_tensor_bytes(
        lambda: evaluator.measure(digits, codes, shortest, uniform)
    )
    assert 0.5 * TRAINED < held < TRAINED


def _out_of_memory(*asked: object, **more: object) -> Any:
    yield from fake.run(*asked, **more)
    raise RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't "
        "allocate memory: you tried to allocate 104857600 bytes."
    )


def _played(home: Path, tools: Toolkit) -> Any:
    store = Store.open(home)
    key = fake.submit(store, 1)
    play(store, store.claim(), tools, StopSignal())
    return store.job(key)


def test_a_run_that_runs_out_of_memory_fails_in_a_sentence(tmp_path: Path) -> None:
    job = _played(tmp_path, replace(fake.TOOLS, run=_out_of_memory))
    assert job.state == JobState.FAILED
    assert job.error.startswith("ran out of memory: lower test_tasks")
    assert "DefaultCPUAllocator" in job.traceback


def test_a_worker_refuses_what_will_not_fit_before_it_starts(tmp_path: Path) -> None:
    def refuse(spec: RunSpec) -> None:
        raise Refused("needs about 6.2 GB", "budget.test_tasks")

    job = _played(tmp_path, replace(fake.TOOLS, check=refuse))
    assert (job.state, job.error) == (JobState.FAILED, "needs about 6.2 GB")


@pytest.mark.usefixtures("little")
def test_the_command_line_refuses_a_hog_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.runner.memory_limit.cap_memory", lambda: None)
    monkeypatch.setattr(run, "read_spec", lambda name: spec_of(**HOGS["test_tasks"]))
    out = tmp_path / "out"
    assert __main__.main(["run", "hog.json", "--out", str(out)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "lower test_tasks from 10,000 to about" in said
    assert not out.exists()


def test_an_equal_budget_of_any_size_is_a_number_of_tuning_tasks() -> None:
    from engine.runner.baseline_tuning import SEARCH_COST, tuning_spec

    for spent in (73_746, 10_000_000):
        spec = spec_of(
            **HOGS["task_evaluations"] | {"budget": {"task_evaluations": spent}}
        )
        sub = tuning_spec(spec, spec.learners[0])
        assert sub.budget.tuning_tasks == int(spent / SEARCH_COST)

"""Runs on a Ray cluster of several nodes on this machine: `make ray`."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from engine import __main__
from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.data.user.csv_store import read_csv, store_csv
from engine.executors import ray_environment, ray_reaper
from engine.executors.in_process import settle_spec
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import load_toolkit
from engine.store import Store
from tests.cli.test_cli import TINY, written
from tests.executors.test_node import CSV, ROOT
from tests.executors.test_shards import batched, rows_of, submit
from tests.laws.small import assert_same, spec_of
from tests.torture.items import until

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs requirements-ray.txt"),
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def module() -> Any:
    """Import Ray with a token, on addresses of this machine alone."""
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    return ray_environment.load_ray_cluster("")


@pytest.fixture(scope="module")
def cluster(module: Any) -> Iterator[Any]:
    """Start a head without cores, which is where the tests are, and two nodes."""
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="ray-test-")
    home = os.environ["METASCOPE_HOME"]
    # Theirs is not ours; Ray files the address beside the temporary folder's default.
    os.environ |= {"METASCOPE_HOME": f"{folder}/nodes", "RAY_TMPDIR": folder}
    (Path(folder) / "ray").mkdir()
    small = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    head = {"num_cpus": 0, "temp_dir": folder, **small}
    made = Cluster(initialize_head=True, head_node_args=head)
    made.nodes = [made.add_node(num_cpus=1, **small) for _ in range(2)]
    made.small = small
    os.environ["METASCOPE_HOME"] = home
    yield made
    made.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, np.ndarray]:
    """Return the rows of the longer run that one worker computed here."""
    store = Store.open(tmp_path_factory.mktemp("alone") / "home")
    key = submit(store, longer())
    play(store, store.claim(), load_toolkit(), StopSignal())
    return rows_of(store, key)


def longer() -> RunSpec:
    """Return a run whose batches take seconds, so that a node can be lost in one."""
    return batched(budget={"task_evaluations": 8000, "validate_every": 200})


def ended(store: Store, *keys: str) -> bool:
    states = [store.job(key).state for key in keys]
    return all(state not in (JobState.QUEUED, JobState.RUNNING) for state in states)


def test_a_node_is_killed_on_the_way_and_the_rows_are_the_same(
    module: Any,
    cluster: Any,
    store: Store,
    alone: dict[Any, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.executors import ray_batches

    lost: list[Exception] = []
    real = ray_batches._check_attempts

    def counted(attempt: int, error: Any) -> None:
        lost.append(error)
        real(attempt, error)

    monkeypatch.setattr(ray_batches, "_check_attempts", counted)
    key = submit(store, longer())
    with module.connect(store, cluster.address) as workers:
        assert workers.slots == 2
        killer = threading.Thread(target=_kill_a_node, args=(cluster, store, key))
        killer.start()
        workers.run_until(store, lambda: ended(store, key))
        killer.join()
    job = store.job(key)
    assert (job.state, job.error) == (JobState.DONE, "")
    assert lost  # else no batch was on the node
    assert_same(rows_of(store, key), alone)
    assert store.count(kind="shard") == 0
    assert store.fingerprint(key)["threads"] == 1


def _kill_a_node(cluster: Any, store: Store, key: str) -> None:
    """Kill a node once both compute a batch, and add another one."""

    def both_compute() -> bool:
        jobs = [store.job(key), *store.shards(key)]
        return sum(job.done > 0.02 for job in jobs if job.state == "running") == 2

    until(both_compute, 120)
    cluster.remove_node(cluster.nodes.pop(0), allow_graceful=False)
    cluster.nodes.append(cluster.add_node(num_cpus=1, **cluster.small))


def test_a_refusal_on_a_node_arrives_in_one_line(
    module: Any, cluster: Any, store: Store
) -> None:
    lacking = spec_of(family={"name": "own_data", "knobs": {"digest": "ab" * 32}})
    key = submit(store, lacking)
    with module.connect(store, cluster.address) as workers:
        workers.run_until(store, lambda: ended(store, key))
    job = store.job(key)
    assert job.state == JobState.FAILED
    assert job.error.startswith(f"this run needs the file with sha256 {'ab' * 32}")
    assert "compute_request" in job.traceback  # where on the node it was


def test_own_data_travel_by_their_digest(
    module: Any, cluster: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(store.home))
    digest = store_csv(read_csv(CSV))
    knobs = {"digest": digest, "target": "price"}
    spec = settle_spec(spec_of(family={"name": "own_data", "knobs": knobs}))
    key = run_key(spec, find_card)
    store.submit(spec, key)
    with module.connect(store, cluster.address) as workers:
        workers.run_until(store, lambda: ended(store, key))
    assert (store.job(key).state, store.job(key).error) == (JobState.DONE, "")
    there = Path(cluster.head_node.get_temp_dir_path()) / "nodes" / "own"
    assert (there / f"{digest}.csv").read_bytes() == CSV


def test_a_batch_that_waits_for_a_node_stops_at_once(
    module: Any, cluster: Any, store: Store
) -> None:
    key = submit(store, longer())
    with module.connect(store, cluster.address) as workers:
        stop_signal = StopSignal()
        threading.Timer(3.0, stop_signal.request_stop).start()
        begun = time.monotonic()
        play(store, store.claim(), workers.toolkit(stop_signal), stop_signal)
        assert time.monotonic() - begun < 10
    assert store.job(key).state == JobState.QUEUED  # given back, not ended


def test_a_cluster_of_its_own_is_of_this_machine_alone_and_leaves_nothing(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    before = set(_own_folders())
    seen: list[Any] = []
    real = module.RayWorkers.run_until

    def spied(self: Any, store: Store, is_over: Any) -> None:
        seen.extend(_listening())
        real(self, store, is_over)

    monkeypatch.setattr(module.RayWorkers, "run_until", spied)
    spec = written(tmp_path / "tiny.json", TINY)
    assert __main__.main(["sweep", spec, "--on", "ray", "--jobs", "1"]) == 0
    assert seen
    assert {address.removeprefix("::ffff:") for address, _ in seen} == {"127.0.0.1"}
    assert not any("dashboard" in name for _, name in seen)
    assert not [
        p for p in psutil.Process().children(recursive=True) if "ray" in p.name()
    ]
    assert set(_own_folders()) <= before


def test_a_command_that_is_killed_leaves_no_process_and_its_runs_go_on(
    module: Any, tmp_path: Path
) -> None:
    store, before = Store.open(tmp_path / "home"), set(_own_folders())
    spec = written(tmp_path / "spec.json", longer().model_dump(mode="json"))
    words = ["-m", "engine", "sweep", spec, "--on", "ray", "--jobs", "1"]
    home = ["--home", str(store.home)]
    killed = subprocess.Popen([sys.executable, *words, *home], cwd=ROOT)
    until(lambda: store.count([JobState.RUNNING]) == 1, 120)
    (folder,) = set(_own_folders()) - before
    killed.kill()
    killed.wait()
    until(lambda: not folder.exists(), 15)
    assert ray_reaper.kill_members(str(folder)) == 0
    assert __main__.main([*words[2:], *home]) == 0
    assert store.count([JobState.DONE]) == 1


def _own_folders() -> Iterator[Path]:
    return Path("/tmp").glob("metascope-ray-*")


def _listening() -> list[tuple[str, str]]:
    """Return the addresses that Ray's processes listen at."""
    found = []
    for each in psutil.Process().children(recursive=True):
        for socket in each.net_connections("inet"):
            if socket.status == psutil.CONN_LISTEN:
                found.append((socket.laddr.ip, each.name()))
    return found


def test_an_address_where_nothing_is_is_refused_in_one_sentence(
    module: Any, store: Store
) -> None:
    no_cluster = pytest.raises(Refused, match=r"no cluster answers at 127\.0\.0\.1:1")
    with no_cluster, module.connect(store, "127.0.0.1:1"):
        raise AssertionError

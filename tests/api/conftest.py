"""One small run of each kind that the tests of the Python API look at."""

import pytest

import metascope as ms


@pytest.fixture(scope="session")
def smoke() -> ms.Result:
    return ms.run("smoke", replicates=2, store=None, progress=False)


@pytest.fixture(scope="session")
def episodes() -> ms.Result:
    budget = {"task_evaluations": 64, "test_tasks": 4}
    return ms.run(
        "few_shot_smoke",
        family="gaussian_classes",
        learners=["maml", "protonet"],
        baselines=["raw_neighbor"],
        shifts=[],
        replicates=2,
        budget=budget,
        store=None,
        progress=False,
    )

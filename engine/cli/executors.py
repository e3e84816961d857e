"""Where a command computes: on this machine, or on a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.executors.queued_runs import Workers
    from engine.executors.remote_workers import RemoteWorkers
    from engine.store import Store

_ON = "Compute on this machine, or on a Ray cluster (needs requirements-ray.txt)."
_ADDRESS = (
    "Of the Ray cluster that this machine is a node of: auto, or HOST:PORT. Default: "
    "one is started here, for this command alone."
)


class Place(StrEnum):
    """Where batches are computed."""

    LOCAL = "local"
    RAY = "ray"


On = Annotated[Place, typer.Option("--on", help=_ON)]
Address = Annotated[str, typer.Option(help=_ADDRESS)]


def check_address(on: Place, address: str) -> None:
    """Check that an address is given only for a cluster.

    Raises:
        Refused: If it is given for this machine.
    """
    if address and on is not Place.RAY:
        raise Refused("--address is of a cluster: add --on ray", "address")


@contextmanager
def connect_remote(
    on: Place, address: str, jobs: int, store: "Store"
) -> "Iterator[RemoteWorkers | None]":
    """Connect to the workers of another place for a while; None on this machine.

    Args:
        on: The place.
        address: Of the cluster; empty to start one here.
        jobs: How many batches are computed at the same time; 0 for one per core.
        store: Where runs are recorded.

    Raises:
        Refused: If there is no such cluster, or Ray is not installed.
    """
    if on is Place.LOCAL:
        yield None
        return
    from engine.executors.ray_environment import load_ray_cluster

    with load_ray_cluster(address).connect(store, address, jobs) as workers:
        yield workers


@contextmanager
def connect_workers(
    on: Place, address: str, jobs: int, store: "Store"
) -> "Iterator[Workers]":
    """Connect to the workers that compute queued runs; see `connect_remote`."""
    from engine.executors.queued_runs import LocalWorkers

    with connect_remote(on, address, jobs, store) as remote:
        if remote is None:
            workers = LocalWorkers(jobs)
            workers.check(store)
            yield workers
        else:
            yield remote

"""supervise, work: the processes that compute queued runs."""

import logging
import os
from typing import Annotated

import typer

from engine.cli.console import Exit, Home, print_error, print_status
from engine.cli.executors import Address, On, Place, check_address, connect_remote
from engine.store import StoreGone

_STOP = "Stop the running supervisor; its runs are checkpointed and resume later."
_ONCE = "Exit when the queue is empty."


def supervise(
    *,
    home: Home = None,
    stop: Annotated[bool, typer.Option("--stop", help=_STOP)] = False,
    workers: Annotated[
        int,
        typer.Option(help="Workers; 0: METASCOPE_WORKERS, else one per core.", min=0),
    ] = 0,
    on: On = Place.LOCAL,
    address: Address = "",
) -> int:
    """Run the supervisor, which gives queued runs to workers; the app starts it.

    With --on ray the workers are the nodes of a Ray cluster, for all runs of the store:
    start it before the app, which then starts none.
    """
    from engine.executors import supervisor

    check_address(on, address)
    if stop:
        if not supervisor.supervisor_status(home):
            print_status("nothing was running")
            return Exit.OK
        if supervisor.stop_supervisor(home):
            print_status("stopped")
            return Exit.OK
        print_error("the supervisor did not stop in time")
        return Exit.FAILED
    _configure_logging()
    try:
        if on is Place.RAY:
            from engine.executors.remote_supervisor import supervise_remotely

            # The cluster decides how many fit; METASCOPE_WORKERS is of this machine.
            return supervise_remotely(
                home, lambda store: connect_remote(on, address, workers, store)
            )
        return supervisor.supervise(home, workers=workers or None)
    except supervisor.SupervisorError as error:
        print_error(str(error))
        return Exit.FAILED


def work(
    *,
    home: Home = None,
    once: Annotated[bool, typer.Option("--once", help=_ONCE)] = False,
) -> int:
    """Compute queued runs in this process."""
    from engine.executors.cores import lower_priority
    from engine.executors.worker import run_worker as play_queued
    from engine.executors.worker_handle import SUPERVISED

    _configure_logging()
    if os.environ.get(SUPERVISED):
        lower_priority()
    try:
        return play_queued(home, once=once)
    except StoreGone:
        if os.environ.get(SUPERVISED):
            return Exit.FAILED  # its supervisor reports it, once for all workers
        raise


def _configure_logging() -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)

"""Whether the engine can work with the settings as they are."""

from engine.contract.errors import Refused
from engine.executors.cores import worker_count, worker_niceness
from engine.store import Store, StoreError


def check_workers() -> None:
    """Check the settings of the workers.

    Raises:
        Refused: If one of them cannot be understood.
    """
    worker_count()
    worker_niceness()


def check_store() -> None:
    """Check that the demo has a store: without one, it could only show errors.

    Raises:
        Refused: If it cannot be opened.
    """
    try:
        Store.open()
    except StoreError as error:
        raise Refused(
            f"the demo needs a store, but {error}", "METASCOPE_HOME"
        ) from error

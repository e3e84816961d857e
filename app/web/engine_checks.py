"""Whether the engine can work with the settings as they are."""

from engine import portable_arithmetic
from engine.contract.errors import Refused
from engine.executors.cores import check_memory, worker_count, worker_niceness
from engine.executors.environment import one_of
from engine.store import Store, StoreError


def check_workers() -> None:
    """Check the settings of the workers.

    Raises:
        Refused: If one of them cannot be understood.
    """
    worker_count()
    worker_niceness()
    check_memory()
    known = (portable_arithmetic.NATIVE, portable_arithmetic.PORTABLE)
    one_of(portable_arithmetic.CHOICE, known)


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

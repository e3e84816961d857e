"""Whether the engine can work with the settings as they are."""

from engine.contract.errors import Refused
from engine.executors.cores import worker_count, worker_niceness
from engine.store import Store, StoreError, default_home


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
    home = default_home()
    try:
        Store.open(home)
    except (StoreError, OSError) as error:
        raise Refused(
            f"the folder {home} cannot hold the store ({error}); set METASCOPE_HOME to "
            "a folder that this user may write",
            "METASCOPE_HOME",
        ) from error

"""What Ray reads when it is imported, and so has to be set before.

Ray executes what it is sent, so whoever reaches a cluster runs code on it. A cluster
that is started here listens on this machine alone, has no dashboard, and asks for a
token that is drawn for it; another one must ask for its token, too.
"""

import os
import secrets
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from engine.contract.errors import Refused

AUTH_MODE, TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
# Despite its name it decides on every system whether addresses are of loopback alone.
LOOPBACK_UNLESS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


def load_ray_cluster(address: str) -> ModuleType:
    """Import `engine.executors.ray_cluster`, with Ray set up for a cluster.

    Args:
        address: `auto` or HOST:PORT; empty for a cluster on this machine alone.

    Returns:
        The module.

    Raises:
        Refused: If Ray is not installed, or the address is not one of a cluster that
            asks for a token.
    """
    if find_spec("ray") is None:
        raise Refused(
            "Ray is not installed: python -m pip install -r requirements-ray.txt", "on"
        )
    if address.startswith("ray://"):
        raise Refused(
            "this machine must be a node of the cluster: run `ray start "
            "--address=HOST:PORT` here, then use --address auto",
            "address",
        )
    if address and os.environ.get(AUTH_MODE, "token") != "token":
        raise Refused(
            "a cluster without a token computes what anyone sends: start it with "
            f"{AUTH_MODE}=token, and set that here",
            "address",
        )
    os.environ |= {AUTH_MODE: "token", "RAY_USAGE_STATS_ENABLED": "0"}
    if not address:
        os.environ[LOOPBACK_UNLESS] = "0"
        # Ray reads it once per process, so a second cluster gets the same.
        os.environ.setdefault(TOKEN, secrets.token_hex(32))
    return import_module("engine.executors.ray_cluster")

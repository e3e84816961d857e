"""Folders of the data pack and of the user's own files."""

import os
from pathlib import Path

from platformdirs import user_data_path


def pack_home() -> Path:
    """Return the data pack's folder: $METASCOPE_DATA, else the user's data folder."""
    chosen = os.environ.get("METASCOPE_DATA")
    return Path(chosen) if chosen else _user_folder() / "data"


def own_home() -> Path:
    """Return the folder of the user's own files, beside the runs."""
    chosen = os.environ.get("METASCOPE_HOME")
    return (Path(chosen) if chosen else _user_folder()) / "own"


def _user_folder() -> Path:
    return user_data_path("metascope", appauthor=False)

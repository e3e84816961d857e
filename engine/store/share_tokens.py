"""Tokens that open one run for others: 128 bits that nobody can guess.

A token is the HMAC of the run's key under a secret of the store, so none is stored.
"""

import hmac
import os
import secrets
from pathlib import Path

from engine.store import files
from engine.store.errors import StoreError

_FILE = "share-secret"
_SECRET_BYTES = 32
_DIGITS = 32  # hex: 128 bits


def share_token(home: Path, key: str) -> str:
    """Return the token that opens a run for others, 32 hex digits.

    Args:
        home: The store's folder; its secret is made on first use.
        key: The run's key.
    """
    code = hmac.new(_read_secret(home), key.encode(), "sha256")
    return code.hexdigest()[:_DIGITS]


def is_share_token(home: Path, key: str, token: str) -> bool:
    """Whether a token opens a run; takes as long for a wrong one as for a right one."""
    asked = token.encode("utf-8", "replace")
    return hmac.compare_digest(share_token(home, key).encode(), asked)


def _read_secret(home: Path) -> bytes:
    path = home / _FILE
    try:
        held = path.read_bytes()
    except FileNotFoundError:
        return _make_secret(path)
    except OSError as error:
        raise files.as_store_error(error) from error
    if len(held) != _SECRET_BYTES:
        raise StoreError(f"the file {_FILE} in the store is damaged: delete it")
    return held


def _make_secret(path: Path) -> bytes:
    """Write a new secret; if another process is faster, return that one's."""
    beside = path.with_name(f"{_FILE}-{secrets.token_hex(8)}{files.PART}")
    files.write_atomically(beside, secrets.token_bytes(_SECRET_BYTES))
    try:
        os.link(beside, path)  # unlike a rename, it fails where one is there
    except FileExistsError:
        pass
    except OSError as error:
        raise files.as_store_error(error) from error
    finally:
        files.remove(beside)
    return path.read_bytes()

from pathlib import Path

from app.client import client
from engine.contract.jobs import JobState


def test_a_deleted_run_is_gone_from_the_client(home: Path, key: str) -> None:
    client.delete(key)
    assert client.job(key) is None
    assert client.jobs([JobState.DONE])[1] == 0

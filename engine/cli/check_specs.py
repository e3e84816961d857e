"""check-specs: why specs cannot run, one per line, without running them."""

import json
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from engine.cli.console import Exit
from engine.contract.errors import Refused
from engine.contract.parsing import parse_spec

DEMO_NICENESS = 10


def check_specs() -> int:
    """Read specs from standard input, one JSON per line; write a line for each.

    Each answer is a JSON object with `message`, one sentence on why the spec cannot run
    here, empty if it can, and `field`, the place in the spec. The lab keeps such a
    process to check its form.
    """
    # Answers alone go to the pipe, whatever a library prints.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for answer in _answers(sys.stdin.buffer):
        print(json.dumps(answer), file=answers, flush=True)
    return Exit.OK


def _answers(lines: BinaryIO) -> Iterator[dict[str, str]]:
    import torch

    from engine.executors.cores import lower_priority
    from engine.executors.demo import is_demo
    from engine.executors.in_process import settle_spec
    from engine.runner.memory_estimate import check_memory
    from engine.runner.memory_limit import cap_memory

    torch.set_num_threads(1)  # runs need the cores
    # Pages do not wait long for an answer; a demo's visitors ask more than they need.
    lower_priority(DEMO_NICENESS if is_demo() else None)
    cap_memory()
    for line in lines:
        try:
            check_memory(settle_spec(parse_spec(line)))
        except Refused as refusal:
            yield {"message": refusal.message, "field": refusal.field}
        # A part's bug ends its run in one sentence; here it is no reason to refuse.
        except Exception:
            yield {"message": "", "field": ""}
        else:
            yield {"message": "", "field": ""}

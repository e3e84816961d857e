"""Peak memory of a worker that runs each preset, cut to its first steps and tests.

    python -m tests.benchmarks.worker_memory [PRESET …]

Run each preset in a fresh process with the allocator's settings of a worker, its
replicates cut to the first look and its training to the first meta-steps: memory has
its peak in the first meta-step, validation and test. Print the peak of the resident
memory, the limit and the estimate that a worker makes before it starts.
"""

import sys
import time

from engine.presets import PRESETS
from engine.runner.memory_estimate import stage_needs
from tests.benchmarks.measured_runs import (
    MIB,
    cut_training,
    measure_run,
    takes_images,
    write_line,
)

LIMIT, IMAGES = 600, 1200  # MiB


def print_preset(name: str) -> bool:
    """Measure a preset, print its line and return whether it is within its limit."""
    spec = next(preset.spec for preset in PRESETS if preset.name == name)
    begun = time.monotonic()
    run = measure_run(cut_training(spec), fresh=True)
    limit, peak = IMAGES if takes_images(spec) else LIMIT, run.peak / MIB
    estimate = max(need.total for need in stage_needs(run.spec)) / MIB
    note = run.error or ("" if peak <= limit else "TOO MUCH")
    took = time.monotonic() - begun
    write_line(
        f"{name:36s} {peak:6.0f} {limit:6d} {estimate:6.0f} {took:5.0f} s {note}"
    )
    return not note


def main() -> None:
    """Measure the presets that are named, or all."""
    write_line(f"{'preset':36s} {'peak':>6s} {'limit':>6s} {'estimate':>6s}, MiB")
    names = sys.argv[1:] or [preset.name for preset in PRESETS]
    good = [print_preset(name) for name in names]
    write_line(f"{sum(good)} of {len(good)} within their limit")


if __name__ == "__main__":
    main()

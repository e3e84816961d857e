"""Smaller batches: every gradient uses fewer examples, so it is noisier.

Source: McCandlish et al. (2018), arXiv:1812.06162: the gradient noise scale.
Differs: examples of a batch are sampled with replacement.
Helps: to see whether an optimizer mistakes noise for progress.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_net, why_no_net


@register("shift")
class SmallBatches(Shift):
    """B ← max(1, round(B 2^−s)), B the batch size or, in full batch, all examples."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "halvings"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0, 4.0, 5.0)
    top: ClassVar[float] = 12.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_net(setting, "batch_size")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Make the base learner's batches smaller."""
        size = round(_batch_size(setting) / 2.0**severity)
        return change_net(setting, batch_size=max(1, size))


def _batch_size(setting: Setting) -> int:
    """Return the current number of examples per gradient."""
    every = int(getattr(setting.family, "examples", 0))
    # 0 means the full batch.
    return min(setting.net.model_dump()["batch_size"] or every, every)

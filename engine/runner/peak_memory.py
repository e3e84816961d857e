"""Peak memory of a function call: torch's tensors, numpy's arrays, Python's objects."""

import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveTensors(TorchDispatchMode):
    """Counts the bytes of all live tensors, including those held by autograd graphs."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.peak = 0, 0
        self._known: dict[int, object] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: nothing is compiled here, and loading Dynamo takes seconds."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self._count_storage(leaf.untyped_storage())
        self.peak = max(self.peak, self.held)
        return out

    def _count_storage(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:  # a view, or an in-place result: counted already
            return

        def forget(_: object) -> None:
            self.held -= size
            self._known.pop(key, None)

        self._known[key] = weakref.ref(storage, forget)
        self.held += size


def peak_tensor_bytes(work: Callable[[], object]) -> int:
    """Call a function; return the peak bytes of its tensors."""
    with LiveTensors() as tensors:
        work()
    return tensors.peak


def peak_bytes(work: Callable[[], object]) -> int:
    """Call a function; return the peak bytes of its tensors, arrays and objects.

    The peak of numpy and Python is added to torch's as if both came at the same time,
    an upper bound. Tracing allocations makes the call several times slower.
    """
    tensors = [0]
    arrays = peak_array_bytes(lambda: tensors.append(peak_tensor_bytes(work)))
    return tensors[-1] + arrays


def peak_array_bytes(work: Callable[[], object]) -> int:
    """Call a function; return the peak bytes of numpy's arrays and Python's objects."""
    mine = not tracemalloc.is_tracing()  # who started tracing must also stop it
    if mine:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        work()
        held = tracemalloc.get_traced_memory()[1] - before
    finally:
        if mine:
            tracemalloc.stop()
    return max(0, held)


def byte_size(value: object) -> int:
    """Return the total bytes of the tensors and arrays in a dict or dataclass."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(byte_size(each) for each in value.values())
    if is_dataclass(value):
        return sum(byte_size(getattr(value, each.name)) for each in fields(value))
    return 0

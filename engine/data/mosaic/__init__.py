"""Mosaic: some thousands of small nets, each trained for real on many tasks.

A full product of seven decisions, trained on real and made-up classification tasks
from several starts, with its learning curves: a search is judged by a table instead
of by hours of training, and what it finds on one task can be tried on another.

Source: ours. In the manner of NAS-Bench-201 (Dong and Yang 2020, arXiv:2001.00326).
Differs: dense nets; how they are trained (optimizer, rate) is among the decisions.
"""

from engine.data.mosaic.loading import load, meta

__all__ = ["load", "meta"]

"""Fashion-MNIST: pieces of clothing of up to 28 × 28 pixels.

Source: Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747; 90 images of each class.
Differs: averaged to fewer pixels by default; rows are divided once into three pools;
each task draws classes and rows from its pool.
Helps: as a harder variant of MNIST, to transfer an optimizer to.
"""

from typing import ClassVar, Literal

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.data.sources import data_pack
from engine.data.sources.supervised_table import DataTable
from engine.tasks import knobs
from engine.tasks.optimization._tables import TableFamily


@register("family")
class FashionMnist(TableFamily):
    """x: pixels, standardized per task; y: which of K classes sampled per task."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    classes: int = knob(
        5,
        label="Classes",
        unit="classes",
        low=2,
        high=10,
        help="Classes per task, sampled afresh; more are harder.",
    )
    side: Literal["14", "28", "7"] = knob(
        "14",
        label="Pixels per side",
        help="28 is the original resolution; less averages blocks and is faster.",
    )
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(48)
    features: int = knobs.features(0, high=784)

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return data_pack.missing_pack_file("fashion_mnist_900.npz")

    def table(self) -> DataTable:
        """Return the images as rows."""
        return data_pack.fashion_mnist(int(self.side))

"""Own images: episodes from a folder of images for each class.

Source: a ZIP archive of yours, stored under its sha256; a run elsewhere asks for it.
Differs: images are converted to gray and resized to 28 × 28 pixels, or averaged to
14 × 14; duplicates within a class are dropped; the split of the classes is fixed.
Helps: to see whether what was learned elsewhere is useful on your own images.
"""

from functools import lru_cache
from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources.resize import block_average
from engine.data.user.image_store import load_own_images
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._sampling import image_episode
from engine.tasks.few_shot._user_data import OwnFamily, UserClasses, draw_indices


@register("family")
class OwnImages(OwnFamily):
    """x: gray pixels in [0, 1]; y: which of N of your folders the image is in."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    net: ClassVar[str] = "conv4"
    file: ClassVar[str] = "zip"

    digest: str = knob(
        "", label="Archive", help="sha256 of the archive; adding one fills it in."
    )
    side: knobs.Side = knobs.side()
    dark: bool = knob(
        True,
        label="Dark on light",
        help="Inverts dark ink on light paper, so that ink is bright as in the other "
        "sets of characters; turn off for photographs.",
    )

    def classes(self) -> UserClasses:
        """Return the archive's classes."""
        return _load_classes(self.digest)

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose classes of the pool, then images of each."""
        draw = generator(rng.child("data"))
        picks, ids = draw_indices(self, draw, pool)
        every = load_own_images(self.digest).images
        # Average only the sampled images: an archive may have many thousand.
        images = block_average(every[picks.example], int(self.side))
        bright = 255 - images if self.dark else images
        return image_episode(bright, picks, ids, self.known_classes())


@lru_cache(maxsize=2)
def _load_classes(digest: str) -> UserClasses:
    found = load_own_images(digest)
    members = tuple(
        (found.labels == number).nonzero()[0] for number in range(len(found.names))
    )
    return UserClasses(found.names, members, "images", found.pools)

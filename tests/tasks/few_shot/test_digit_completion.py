"""Digit completion: pixels of scikit-learn's digits, each image in one pool."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.protocol import Episode
from engine.tasks.few_shot.digit_completion import POOLS, DigitCompletion, pool_images


def whole_image(episode: Episode) -> np.ndarray:
    """Put an episode's points back onto the grid of pixels."""
    x = np.concatenate([episode.x, episode.held_x], 1)
    row, column = np.round((x + 1.0) * 3.5).astype(int)
    image = np.full((8, 8), np.nan)
    image[row, column] = np.concatenate([episode.y, episode.held_y])
    return image


@pytest.mark.parametrize("pool", POOLS)
def test_an_episode_with_all_pixels_is_an_image_of_its_pool(pool: str) -> None:
    pooled = {image.tobytes() for image in pool_images(pool)}
    for task in range(5):
        episode = DigitCompletion(queries=54).sample(Rng(task), pool)
        assert whole_image(episode).astype(np.float32).tobytes() in pooled


def test_no_image_is_in_two_pools_and_none_is_lost() -> None:
    images = np.concatenate([pool_images(pool) for pool in POOLS])
    assert len(np.unique(images, axis=0)) == len(images) == 1797
    truth = np.unique(load_digits().data / 16, axis=0)
    np.testing.assert_array_equal(np.unique(images, axis=0), truth)


def test_more_shots_leave_the_queries_and_the_first_shots() -> None:
    few, many = (DigitCompletion(shots=k).sample(Rng(3), "test") for k in (4, 9))
    np.testing.assert_array_equal(few.held_x, many.held_x)
    np.testing.assert_array_equal(few.y, many.y[:4])


@pytest.mark.parametrize("sizes", [{"shots": 33}, {"train_shots": 40}])
def test_an_image_has_no_more_than_64_pixels(sizes: dict[str, int]) -> None:
    with pytest.raises(Refused, match="an image has 64"):
        DigitCompletion(**sizes).check()

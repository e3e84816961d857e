"""Few-shot experiments on the user's classes, with sizes that fit them."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cli.console import print_status
from engine.contract.run_spec import Choice
from engine.data.user.class_splits import episode_sizes
from engine.data.user.task_sizes import explain_episodes
from engine.presets import preset, spec_as_json
from engine.presets.builders import baselines, candidate

SIZES = ("ways", "shots", "queries")


def rows_spec(
    knobs: Mapping[str, Any],
    counts: Sequence[int],
    features: int,
    pools: Sequence[str] = (),
) -> dict[str, Any]:
    """Return an experiment on a CSV file; with too few classes they only test.

    Args:
        knobs: Knobs of the family: the file, its target and options.
        counts: Number of distinct rows per class.
        features: Number of input columns.
        pools: The pool of each class, where the file has a split of its own.

    Returns:
        The spec as JSON.
    """
    stand_in = {"dimensions": features, "useful": min(4, features)}
    own = Choice(name="own_classes", knobs=dict(knobs) | episode_sizes(counts, pools))
    other = Choice(name="gaussian_classes", knobs=stand_in)
    return _few_shot_spec(own, other, "few_shot", "mlp")


def images_spec(
    digest: str, counts: Sequence[int], pools: Sequence[str] = ()
) -> dict[str, Any]:
    """Return an experiment on images; with too few classes they only test.

    Args:
        digest: sha256 of the stored archive.
        counts: Number of distinct images per class.
        pools: The pool of each class, where the images bring a split of their own.

    Returns:
        The spec as JSON.
    """
    knobs = {"digest": digest} | episode_sizes(counts, pools)
    own = Choice(name="own_images", knobs=knobs)
    return _few_shot_spec(own, Choice(name="glyphs"), "glyphs", "conv4")


def _few_shot_spec(own: Choice, other: Choice, base: str, net: str) -> dict[str, Any]:
    """Train on the user's classes, or on another family with episodes of that size.

    Args:
        own: The family of the user's classes.
        other: The family that is trained on where those are too few.
        base: The preset whose budget is right for such data.
        net: The net.
    """
    print_status(explain_episodes(own.knobs))
    sizes = {name: own.knobs[name] for name in SIZES}
    alike = Choice(name=other.name, knobs=other.knobs | sizes)
    split = own.knobs["use"] == "split"
    update = {
        "family": own if split else alike,
        "test_families": () if split else (own,),
        "net": Choice(name=net),
        # Without baselines there is no verdict.
        "learners": (
            candidate("protonet"),
            *baselines("linear_probe", "raw_neighbor"),
        ),
        "shifts": (),  # those of the preset are for sinusoids
    }
    return spec_as_json(preset(base).spec.model_copy(update=update))

"""Helpers for shifts of environments: which one a setting has, and why none fits."""

from engine.protocol import Environment, Setting
from engine.tasks.rl._environment_family import EnvironmentFamily


def unchanged_environment(setting: Setting) -> Environment:
    """Return the environment of a setting's family, before any change."""
    assert isinstance(setting.family, EnvironmentFamily)
    return setting.family.environment()


def why_no_later_steps(setting: Setting) -> str | None:
    """Return the reason why an episode has no later steps; None if it has."""
    if unchanged_environment(setting).steps > 1:
        return None
    return f"an episode of {setting.family.name} is one step: nothing comes later"

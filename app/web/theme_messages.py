"""The theme that each rerun's first message holds, read from the settings once.

Streamlit reads some 200 options at each rerun, for 4 of the 20 ms that a light page
costs. In the demo they never change while it serves.
"""

import functools
import inspect

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session


def keep_theme() -> None:
    """Let Streamlit fill in each section of the theme from the first time it did so."""
    fill = inspect.unwrap(app_session._populate_theme_msg)

    @functools.cache
    def section_of(section: str) -> CustomThemeConfig:
        made = CustomThemeConfig()
        fill(made, section)
        return made

    @functools.wraps(fill)
    def fill_from_kept(msg: CustomThemeConfig, section: str = "theme") -> None:
        kept = section_of(section)
        if kept.ByteSize():  # merging an empty one would make it part of the message
            msg.MergeFrom(kept)

    app_session._populate_theme_msg = fill_from_kept

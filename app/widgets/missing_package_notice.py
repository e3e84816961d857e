"""A package that is not installed, shown with what installs it."""

import streamlit as st

from app.client.missing_packages import describe_missing


def show_notice(error: ModuleNotFoundError) -> None:
    """Show which package is missing.

    Raises:
        ModuleNotFoundError: The same error, where a file of our own is missing.
    """
    sentence = describe_missing(str(error))
    if not sentence:
        raise error
    st.error(sentence, icon=":material/deployed_code_alert:")

"""Notice of a package that is not installed, with the command that installs it."""

import streamlit as st

from app.client.missing_package_message import describe_missing


def show_notice(error: ModuleNotFoundError) -> None:
    """Show which package is missing.

    Raises:
        ModuleNotFoundError: The same error, if the missing module is our own.
    """
    sentence = describe_missing(str(error))
    if not sentence:
        raise error
    st.error(sentence, icon=":material/deployed_code_alert:")

"""Settings are checked before the server starts; a wrong one stops it."""

import sys

import streamlit as st
from streamlit import config, net_util
from streamlit.runtime.secrets import secrets_singleton

from app.web.settings import HOSTS, WebSettings, read_settings
from app.web.theme_messages import keep_theme
from engine.contract.errors import Refused
from engine.executors.demo import MIB, DemoLimits, demo_limits

ERROR_DETAILS = "client.showErrorDetails"


def prepare() -> WebSettings:
    """Check all settings and apply those of the demo.

    Raises:
        SystemExit: With one sentence, if one of them cannot be used.
    """
    # Streamlit copies its secrets to the environment, but only later; a host that has
    # no other place for settings keeps them there.
    found = secrets_singleton.load_if_toml_exists()
    if (
        found and HOSTS in secrets_singleton
    ):  # Streamlit's own settings were read before
        config.set_option("server.allowedHosts", str(secrets_singleton[HOSTS]).split())
    try:
        settings = read_settings()
        _check_host_names()
        _check_engine(settings)
    except Refused as refusal:
        sys.exit(f"Metascope does not start: {refusal.message}.")
    if settings.is_demo:
        _apply_demo_options(demo_limits())
        keep_theme()
    # For each socket of a foreign origin Streamlit would ask another server for this
    # machine's address, and answer nobody meanwhile.
    net_util.get_external_ip = _no_address
    return settings


def _no_address() -> None:
    return None


def has_sign_in() -> bool:
    """Whether visitors can sign in: Streamlit's secrets then have a section for it."""
    return secrets_singleton.load_if_toml_exists() and "auth" in secrets_singleton


def _check_engine(settings: WebSettings) -> None:
    try:
        # Not imported above: a missing package must not keep the page from saying so.
        from app.web import engine_checks
    except ModuleNotFoundError:
        return
    engine_checks.check_workers()
    if settings.is_demo:
        engine_checks.check_store()


def _check_host_names() -> None:
    for name in st.get_option("server.allowedHosts"):
        # More than one colon is an address of IPv6.
        if not name or {"/", ","} & set(name) or name.count(":") == 1:
            raise Refused(
                f"{HOSTS} must be host names without ports and paths, separated by "
                f"blanks, such as 'localhost lab.example.org'; {name[:40]!r} is none",
                HOSTS,
            )


def _apply_demo_options(limits: DemoLimits) -> None:
    """Set what a public server needs of Streamlit."""
    if not config.is_manually_set(ERROR_DETAILS):
        config.set_option(ERROR_DETAILS, "none")
    # Streamlit counts the bytes of an upload while they arrive.
    config.set_option("server.maxUploadSize", max(1, limits.upload // MIB))

"""Entry point of the app: `streamlit run app/main.py` starts its web server."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

from app.web import file_hints, warm_start  # noqa: E402

app = st.App(
    Path(__file__).with_name("navigation.py"),
    lifespan=warm_start.run_beside,
    middleware=[Middleware(file_hints.FileHints)],
)

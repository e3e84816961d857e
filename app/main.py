"""Entry point of the app: `streamlit run app/main.py` starts its web server."""

import os
import sys
from pathlib import Path

# Set before numpy is imported. A second thread would burn a core while it waits for the
# next small product, and all visitors share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from engine.executors.allocator import limit_heaps  # noqa: E402

limit_heaps()  # before there are threads

import streamlit as st  # noqa: E402

from app.web import stack, startup  # noqa: E402

settings = startup.prepare()
app = st.App(
    Path(__file__).with_name("navigation.py"),
    lifespan=stack.lifespan(settings),
    routes=stack.routes(settings),
    middleware=stack.middleware(settings),
    on_script_error=stack.report_error,
)

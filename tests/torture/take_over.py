"""A visitor looks once: `METASCOPE_HOME=… python -m tests.torture.take_over NUMBER`."""

import sys

from engine.store import Store
from tests.torture.visitor_clicks import visitor

if __name__ == "__main__":
    visitor(Store.open(), int(sys.argv[1])).follow()

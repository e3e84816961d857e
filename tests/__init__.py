"""The tests compute as every x86 machine does, so that recorded numbers can be held."""

import os

os.environ.setdefault("METASCOPE_ARITHMETIC", "portable")

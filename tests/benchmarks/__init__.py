"""Measurements that print tables: speed beside other libraries, and long figures.

They compute as a user's run does, with the fastest code for this processor; the tests'
portable arithmetic makes matrix products up to three times slower.
"""

import os
import sys

# Before `engine` is imported. Tests may import a benchmark, and stay portable.
if "pytest" not in sys.modules:
    os.environ["METASCOPE_ARITHMETIC"] = "native"

"""Faults at full counts: `python -m tests.torture [NAME …] [--quick]`."""

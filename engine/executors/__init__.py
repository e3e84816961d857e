"""Executors: run specs in worker processes under a supervisor, or in this process."""

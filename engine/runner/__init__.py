"""The runner: executes one run, from a completed spec to a stream of events."""

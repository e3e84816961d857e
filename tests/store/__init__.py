"""Tests of the store, and the fake run that they play."""

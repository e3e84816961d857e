"""Judges: each turns the runs of one study into a verdict, by its protocol alone."""

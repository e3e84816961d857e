"""Policies that propose architectures, and how they are trained."""

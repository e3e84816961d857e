"""Steps that several learners share, as functions."""

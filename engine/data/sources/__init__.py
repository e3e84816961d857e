"""Bundled and downloadable data sets, their readers, and where their files are."""

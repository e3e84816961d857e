"""Everything of a run to take along: link, files, figures, report, notebook, Python."""

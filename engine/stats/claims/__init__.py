"""Claims: what is asked about two learners, and how it is decided."""

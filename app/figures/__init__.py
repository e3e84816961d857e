"""Figures: plain data in, a Plotly figure out; one file per question."""

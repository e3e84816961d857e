"""The page Learn: lessons, the glossary, and a card per part."""

from app.views.learn import page
from app.widgets import live_plot

live_plot.preload_library()
page.draw_learn()

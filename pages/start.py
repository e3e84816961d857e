"""The page Start: what the lab is for, and the ways into it."""

from app import old_addresses
from app.views.start import page

old_addresses.open_run_of_link()
page.draw_start()

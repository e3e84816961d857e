"""The page Learn: a card per part, and lessons on search, doubt and exploration."""

import streamlit as st

from app.views import part_cards
from app.views.lesson import Lesson, draw_lesson

st.title("Learn", anchor=False)
chosen = part_cards.choose_cards()
if isinstance(chosen, Lesson):
    draw_lesson(chosen)
else:
    part_cards.draw_cards(chosen)

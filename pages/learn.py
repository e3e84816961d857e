"""The page Learn: a card per part, and a lesson on architecture search."""

import streamlit as st

from app.views import part_cards
from app.views.search import search_lesson

st.title("Learn", anchor=False)
cards = part_cards.choose_cards()
if cards is None:
    search_lesson.draw_lesson()
else:
    part_cards.draw_cards(cards)

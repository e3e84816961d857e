"""The page Learn: a card per part, and a lesson on architecture search."""

import streamlit as st

from app.views import learn
from app.views.search import lesson

st.title("Learn", anchor=False)
cards = learn.choose_cards()
if cards is None:
    lesson.draw_lesson()
else:
    learn.draw_cards(cards)

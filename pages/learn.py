"""Learn: what each part is, what it says, and when it helps."""

import streamlit as st

from app.views import learn
from app.views.search import lesson

st.title("Learn", anchor=False)
cards = learn.choose_cards()
if cards is None:
    lesson.draw_lesson()
else:
    learn.draw_cards(cards)

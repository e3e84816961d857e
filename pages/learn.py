"""Learn: what each part is, what it says, and when it helps."""

import streamlit as st

from app import learn

st.title("Learn", anchor=False)
learn.shelf(learn.choose())

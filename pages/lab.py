"""Lab: does what was learned help here, and how sure are we?"""

import streamlit as st

from app import lab, session

session.arrive()
main = st.container()
with st.sidebar:
    wanted = lab.form()
with main:
    lab.notices()
    lab.offer(wanted)
    lab.view(session.in_view())
if wanted:
    session.write_url(*wanted)

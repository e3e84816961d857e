"""The web server around the pages: what answers before, beside and behind Streamlit."""

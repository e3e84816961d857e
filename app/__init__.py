"""The screen: streamlit, plotly and pandas; never torch."""

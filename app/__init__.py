"""Streamlit pages, web routes and the browser editor. Thin: the work happens elsewhere."""

"""The Streamlit app: the only place that imports Streamlit, a thin face of ``scenarios``."""

"""The entry of the app: ``circle15 app REGION``, or ``streamlit run streamlit_app.py`` with CIRCLE15_REGION set."""

from scenarios.app.main import run

run()

"""The page that `waymark chat` serves: `streamlit run ui/app.py`. It only puts the pages together."""

import streamlit as st

from rag.errors import WaymarkError
from ui import conversation_page, evaluation_page, library_page, roadmap_page
from ui.labels import label
from ui.shared_desk import ICON, PAGES_CSS, know_pages


def main() -> None:
    st.set_page_config(page_title="Waymark", page_icon=ICON, layout="wide")
    st.html(f"<style>{PAGES_CSS}</style>")
    pages = {
        "ask": st.Page(
            conversation_page.show, title="Ask", icon=":material/forum:", url_path="ask", default=True
        ),
        "roadmap": st.Page(
            roadmap_page.show, title="Roadmap", icon=":material/account_tree:", url_path="roadmap"
        ),
        "library": st.Page(
            library_page.show, title="Library", icon=":material/library_books:", url_path="library"
        ),
        "evaluation": st.Page(
            evaluation_page.show, title="Evaluation", icon=":material/monitoring:", url_path="evaluation"
        ),
    }
    know_pages(pages)
    page = st.navigation(list(pages.values()), position="sidebar")
    try:
        page.run()
    except WaymarkError as error:  # anything else is a bug: Streamlit says so and logs its traceback
        st.error(label(f"{error} {error.hint}"), icon=":material/error:")


main()

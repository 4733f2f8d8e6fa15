"""A county whose tables leave something open: the page asks, and opens when the planner has confirmed."""

from playwright.sync_api import expect


def test_the_page_asks_for_the_datum_and_opens_with_the_figures_of_the_clean_county(page, streamlit_server, messy):
    page.goto(streamlit_server(region=messy))
    expect(page.get_by_text("若为 GCJ-02").first).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="都属实：写入 region.toml 并打开").click()
    expect(page.get_by_text("474,205").first).to_be_visible(timeout=90_000)

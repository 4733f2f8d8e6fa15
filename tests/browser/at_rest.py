"""What a person does who looks before clicking, and clicks once more where nothing happened."""

from playwright.sync_api import Download, Page
from playwright.sync_api import TimeoutError as NothingHappened

PATIENCE_MS = 20_000


def at_rest(page: Page) -> None:
    """Wait until no run of the page is under way: a click on what is just being drawn anew is lost."""
    page.evaluate("() => { window.atRestSince = undefined; }")  # what came before the last click does not count
    page.wait_for_function(
        """() => {
            const still = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning";
            window.atRestSince = still ? (window.atRestSince ?? performance.now()) : undefined;
            return still && performance.now() - window.atRestSince > 500;
        }"""
    )


def saved(page: Page, button: str, *, times: int = 3) -> Download:
    """Press a button that hands over a file."""
    at_rest(page)
    try:
        with page.expect_download(timeout=PATIENCE_MS) as waiting:
            page.get_by_role("button", name=button).click()
    except NothingHappened:
        if times == 1:
            raise
        return saved(page, button, times=times - 1)
    return waiting.value

"""One person in front of the app: a browser context of their own, and what they do there."""

from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.watch import Watch

DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 390, "height": 844}
SECONDS = 30_000


class Visitor:
    """A browser of one person: keys, caches and settings are theirs alone. `options` are those of a context."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(base_url=url, **{"viewport": DESKTOP, "locale": "en-GB", **options})
        self.context.set_default_timeout(SECONDS)
        self.watch = Watch(self.context, url)
        self.page: Page = self.context.new_page()

    def go(self, path: str) -> Page:
        """Open an address and wait until the app shows it."""
        self.page.goto(path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is loading any more."""
        expect(self.page.locator("#main > *").first).to_be_visible()
        expect(self.page.locator('[role=status][aria-label^="Loading"]')).to_have_count(0)

    def fits(self) -> bool:
        """Whether nothing sticks out of the window sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def message(self, text: str) -> Locator:
        """The message that says `text`."""
        return self.page.get_by_role("article").filter(has_text=text)

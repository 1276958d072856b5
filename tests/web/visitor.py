"""One person in front of the app: a browser context of their own, and what they do there."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.watch import Watch

DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
_POLL_MS = 50
_ARRIVED = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation.effect.getTiming().iterations !== Infinity)
  .map((animation) => animation.finished.catch(() => undefined))).then(() => undefined)"""

_IS_RECOVERED = "!Object.keys(sessionStorage).some((key) => key.startsWith('choir.sent.'))"


class Visitor:
    """A browser of one person: keys, caches and settings are theirs alone. `options` are those of a context."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(base_url=url, **{"viewport": DESKTOP, "locale": "en-GB", **options})
        self.context.set_default_timeout(PATIENCE_MS)
        self.watch = Watch(self.context, url)
        self.page: Page = self.context.new_page()
        self.address = ""

    def go(self, path: str) -> Page:
        """Open an address and wait until the app shows it."""
        self.watch.is_told = False
        self.page.goto(path)
        self.settle()
        return self.page

    def go_live(self, path: str) -> Page:
        """The same for who is signed in, and wait until the page is told what happens to the account from now on."""
        page = self.go(path)
        self.until(lambda: self.watch.is_told, "the page follows its account")
        return page

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for what is not seen in the page. `what` says it in words."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not holds():
            assert time.monotonic() < deadline, f"not reached: {what}"
            self.page.wait_for_timeout(_POLL_MS)

    def settle(self) -> None:
        """Wait until nothing is loading any more."""
        expect(self.page.locator("#main > *").first).to_be_visible()
        expect(self.page.locator('[role=status][aria-label^="Loading"], [aria-busy=true]')).to_have_count(0)

    def join(self) -> str:
        """Make a key as a newcomer does; returns the address. Ends at the page that says what comes next."""
        page = self.go("/join")
        page.get_by_role("button", name="Make a key").click()
        page.get_by_label("I have written the words down").check()
        page.get_by_role("button", name="Start").click()
        return self.own_address()

    def restore(self, phrase: str) -> str:
        """Bring a key back from its words; returns the address."""
        page = self.go("/join")
        page.get_by_role("button", name="I have 24 words").click()
        page.get_by_role("textbox", name="Your 24 words").fill(phrase)
        page.get_by_role("button", name="Bring my key back").click()
        return self.own_address()

    def own_address(self) -> str:
        """Whose key this browser uses, once the page says so."""
        expect(self.page.get_by_role("heading", name="This is you")).to_be_visible()
        self.address = str(self.page.evaluate("localStorage.getItem('choir.account')"))
        return self.address

    def ask_faucet(self) -> None:
        self.page.get_by_role("button", name="Get development CHOIR").first.click()
        expect(self.page.get_by_text("development CHOIR.", exact=False).first).to_be_visible()

    def begin_thread(self, title: str, text: str) -> str:
        """Create a thread with its first message; returns its id. Ends in the thread."""
        page = self.go("/new")
        page.get_by_role("textbox", name="Title").fill(title)
        page.get_by_role("textbox", name="First message").fill(text)
        page.get_by_role("button", name="Sign and begin").click()
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        expect(self.message(text)).to_be_visible()
        return page.url.rpartition("/")[2].partition("?")[0]

    def write(self, text: str) -> Locator:
        """Send a message to the thread that is shown; returns it once it is final."""
        field = self.page.get_by_role("textbox", name="Message", exact=True)
        field.fill(text)
        self.send(field)
        return self.message(text)

    def send(self, field: Locator) -> None:
        """Send what stands in the composer's field, and wait until it is final."""
        field.press("Control+Enter")
        # It leaves the composer at the moment at which it shows as being on its way.
        expect(field).to_have_value("")
        self.await_final()

    def await_final(self) -> None:
        """Wait until nothing of what is on its way is so any more."""
        expect(self.page.locator("article + [role=status]")).to_have_count(0)

    def await_recovered(self) -> None:
        """Wait until the page knows of everything that an earlier one sent whether it has arrived."""
        self.until(lambda: bool(self.page.evaluate(_IS_RECOVERED)), "it is known what became of what was sent")

    def choose(self, message: Locator, action: str) -> None:
        """What one can do with a message, from its menu."""
        message.hover()
        message.get_by_role("button", name="What to do with this message").click()
        self.page.get_by_role("menuitem", name=action).click()

    def balance(self) -> Locator:
        """What the account in use has, as every page shows it."""
        return self.page.get_by_role("button").filter(has_text="CHOIR").and_(self.page.locator("[aria-haspopup=menu]"))

    def still(self) -> None:
        """Wait until what moves has arrived: colours on their way would be judged."""
        # Not by wait_for_function: the page's policy forbids what it does.
        self.page.evaluate(_ARRIVED)

    def fits(self) -> bool:
        """Whether nothing sticks out of the window sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def message(self, text: str) -> Locator:
        """The message that says `text`."""
        return self.page.get_by_role("article").filter(has_text=text)

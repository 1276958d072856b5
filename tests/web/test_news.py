"""What is new: messages not yet read, requests for a vote, the count in the title; and the way there by keyboard."""

import re

from playwright.sync_api import Locator, Page, Route, TimeoutError, expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.phrases import key_of_phrase, phrase_of
from tests.web.visitor import PHONE, Visitor

PAIRS_TRIED = 5
SHOWN_MS = 10_000


def _press_pair(page: Page, first: str, second: str, shown: Locator) -> None:
    """Two keys that belong together if they come within a second or so, which a busy machine may miss."""
    for _ in range(PAIRS_TRIED):
        page.keyboard.press(first)
        page.keyboard.press(second)
        try:
            shown.wait_for(timeout=SHOWN_MS)
        except TimeoutError:
            continue
        return
    expect(shown).to_be_visible()


def _come(visit: Visit, phrase: str) -> Visitor:
    visitor = visit()
    visitor.restore(phrase)
    return visitor


def test_what_comes_while_one_looks_elsewhere_is_counted_until_it_is_read(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("news-reader")
    reader, other = authors.new("", key_of_phrase(phrase)), authors.new("news-other")
    thread_id = reader.thread("Bread\n\nFlour and water.")
    reader.vote(other.submit_spec(thread_id, "And salt."), approve=True)
    visitor = _come(visit, phrase)
    page = visitor.go("/network")
    expect(page).to_have_title("Network – Choir")
    entry = page.get_by_role("navigation", name="Threads").get_by_role("link", name=re.compile("^Bread"))
    expect(entry).to_have_accessible_name("Bread")

    other.post(thread_id, "And time.")
    expect(entry).to_have_accessible_name(re.compile("1 new message"))
    expect(page).to_have_title("(1) Network – Choir")
    entry.click()
    expect(page.get_by_text("And time.")).to_be_visible()
    expect(entry).to_have_accessible_name("Bread")
    expect(page).to_have_title("Bread – Choir")


def test_a_request_for_a_vote_rings_the_bell_also_when_the_page_was_closed(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("bell-voter")
    voter, other = authors.new("", key_of_phrase(phrase)), authors.new("bell-other")
    thread_id = voter.thread("Tea\n\nLeaves and water.")
    visitor = _come(visit, phrase)
    page = visitor.go("/network")
    bell = page.get_by_role("button", name=re.compile("^Notifications"))
    expect(bell).to_have_accessible_name("Notifications")
    first = other.submit_spec(thread_id, "Not boiling.")
    expect(bell).to_have_accessible_name("Notifications, 1 new one")

    page.goto("about:blank")
    voter.vote(first, approve=False)
    second = other.submit_spec(thread_id, "Three minutes.")
    page = visitor.go("/network")
    bell.click()
    notices = page.get_by_role("dialog", name="Notifications")
    request = notices.get_by_role("link", name=re.compile("asks for your vote"))
    # The first is decided and asks for nothing any more.
    expect(request).to_have_count(1)
    expect(request).to_have_attribute("href", f"/spec/{second}")
    expect(bell).to_have_accessible_name("Notifications, 1 new one")
    request.click()
    expect(page.get_by_text("Three minutes.").first).to_be_visible()


def test_everything_is_reached_by_single_keys_which_can_be_turned_off(visit: Visit) -> None:
    visitor = visit()
    page = visitor.go("/")
    threads = page.get_by_role("heading", name="Threads", level=1)
    _press_pair(page, "g", "t", threads)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    dialog.get_by_label("Single keys").click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.keyboard.press("?")
    expect(threads).to_be_visible()
    expect(dialog).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("network")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Network", level=1)).to_be_visible()


def test_nothing_is_lost_that_is_typed_before_the_palette_is_there(visit: Visit) -> None:
    # Its code is held back as if the network were slow; a worker of the page would ask for it unseen.
    visitor = visit(service_workers="block")
    held: list[Route] = []
    visitor.page.route("**/PaletteDialog-*.js", lambda route: held.append(route))
    page = visitor.go("/threads")
    opener = page.get_by_role("button").filter(has_text="Search or go to")
    opener.click()
    page.keyboard.type("xne")
    for key in ("Home", "Backspace", "Backspace", "Backspace"):
        page.keyboard.press(key)
    page.keyboard.type("network")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("colours")
    page.keyboard.press("ArrowUp")
    field = page.get_by_role("combobox", name="Search or go to")
    expect(field).to_have_count(0)
    for route in held:
        route.continue_()
    expect(field).to_have_value("colours")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", selected=True)).to_have_text("Search for “colours”")
    # The messages that are found come below it.
    page.keyboard.press("Home")
    expect(page.get_by_role("option", selected=True)).to_have_text("Use dark colours")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(field).to_have_count(0)
    expect(opener).to_be_focused()
    expect(page.get_by_role("heading", name="Threads", level=1)).to_be_visible()


def test_on_a_phone_the_steps_are_in_a_sheet_that_keys_and_fingers_move(visit: Visit, authors: Authors) -> None:
    authors.new("sheet-author").thread("Sourdough\n\nA starter is ready when it doubles within four hours.")
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    visitor.join()
    page = visitor.go("/runs")
    page.get_by_label("Your question").fill("When is a starter ready?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("heading", name="Sources")).to_be_visible()
    handle = page.get_by_role("slider", name=re.compile("^Steps"))
    expect(handle).to_have_attribute("aria-valuetext", "closed")
    handle.focus()
    for at in ("half open", "open"):
        page.keyboard.press("ArrowUp")
        expect(handle).to_have_attribute("aria-valuetext", at)
    shown = page.get_by_role("tab", selected=True)
    expect(shown).to_have_accessible_name(re.compile("Experience"))
    shown.focus()
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_accessible_name(re.compile("Intention"))
    page.keyboard.press("Escape")
    expect(handle).to_have_attribute("aria-valuetext", "closed")
    handle.tap()
    expect(handle).to_have_attribute("aria-valuetext", "half open")

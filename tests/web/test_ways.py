"""Other ways to use it: by keyboard alone, on a phone, in the dark, from right to left."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.phrases import phrase_of
from tests.web.visitor import PHONE

MOST_TABS = 80


def test_the_story_by_keyboard_alone(visit: Visit, authors: Authors) -> None:
    visitor = visit()
    page = visitor.go("/join")
    press(page, page.get_by_role("button", name="Make a key"))
    press(page, page.get_by_label("I have written the words down"), "Space")
    press(page, page.get_by_role("button", name="Start"))
    visitor.own_address()
    press(page, page.get_by_role("button", name="Get development CHOIR"))
    expect(visitor.balance()).to_contain_text("10,000")
    press(page, page.get_by_role("main").get_by_role("link", name="Begin a thread"))
    expect(page.get_by_role("textbox", name="Title")).to_be_focused()
    page.keyboard.type("Written by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type("No mouse was near.")
    press(page, page.get_by_role("button", name="Sign and begin"))
    expect(visitor.message("No mouse was near.")).to_be_visible()
    thread_id = page.url.rpartition("/")[2]
    authors.new("typist").submit_spec(thread_id, "A spec to decide by keyboard.")
    palette(page, "Decisions")
    press(page, page.get_by_role("button", name="Approve"))
    expect(page.get_by_text("Nothing awaits your vote")).to_be_visible()
    palette(page, "Written by keyboard")
    expect(visitor.message("A spec to decide by keyboard.")).to_contain_text("approved spec")
    move_to(page, page.get_by_role("textbox", name="Message", exact=True))
    page.keyboard.type("Agreed.")
    visitor.send(page.get_by_role("textbox", name="Message", exact=True))
    expect(visitor.message("Agreed.")).to_be_visible()


def test_the_palette_finds_places_threads_and_words(visit: Visit, authors: Authors) -> None:
    thread_id = authors.new("indexer").thread("# Xylophones of wood\n\nRosewood bars ring longest.")
    page = visit().go("/")
    palette(page, "Xylophones")
    expect(page).to_have_url(re.compile(thread_id))
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or go to")
    field.fill("bars ring longest")
    expect(page.get_by_role("option").filter(has_text="Rosewood bars ring longest")).to_be_visible()
    field.press("Escape")
    expect(field).to_have_count(0)


def test_a_phone_shows_the_steps_in_a_sheet(visit: Visit, authors: Authors) -> None:
    authors.new("sailor").thread("# On wind\n\nTrade winds blow steadily towards the equator.")
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    visitor.restore(phrase_of("phone"))
    page = visitor.go("/runs")
    page.get_by_role("textbox").first.fill("Where do trade winds blow?")
    page.get_by_role("button", name="Ask", exact=True).tap()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("Trade winds blow steadily")
    sheet = page.get_by_role("region", name="Steps")
    head = sheet.get_by_role("slider")
    expect(head).to_have_attribute("aria-valuenow", "0")
    head.tap()
    expect(head).to_have_attribute("aria-valuenow", "50")
    tabs = sheet.get_by_role("tab")
    expect(tabs).to_have_count(6)
    for tab in tabs.all():
        tab.tap()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(sheet.get_by_role("tabpanel")).to_be_visible()
    assert visitor.fits()
    page.keyboard.press("Escape")
    expect(head).to_have_attribute("aria-valuenow", "0")


def test_dark_is_followed_and_chosen(visit: Visit) -> None:
    visitor = visit(color_scheme="dark")
    page = visitor.go("/")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(19, 19, 22)"
    page.get_by_role("button").filter(has_text="Signed out").click()
    page.get_by_role("radiogroup", name="Colours").get_by_text("Light").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    page.reload()
    visitor.settle()
    assert page.evaluate(background) == "rgb(251, 250, 248)"


def test_what_is_written_from_right_to_left_stands_right(visit: Visit) -> None:
    visitor = visit()
    visitor.restore(phrase_of("rtl"))
    visitor.begin_thread("سؤال عن المد", "هل المد أعلى في الخلجان؟")
    page = visitor.page
    field = page.get_by_role("textbox", name="Message", exact=True)
    field.press_sequentially("نعم، أعلى")
    expect(field).to_have_css("direction", "rtl")
    message = visitor.write("نعم، أعلى بكثير")
    assert message.get_by_text("نعم، أعلى بكثير").evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert visitor.fits()


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Reach something by Tab and press a key on it. What has the focus shows it."""
    move_to(page, target)
    shown = "e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
    assert target.evaluate(shown), f"the focus on {target} is not seen"
    page.keyboard.press(key)


def move_to(page: Page, target: Locator) -> None:
    expect(target).to_be_enabled()
    for _ in range(MOST_TABS):
        if target.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{MOST_TABS} tabs did not lead to {target}")


def palette(page: Page, words: str) -> None:
    """Go somewhere by the command palette."""
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or go to")
    expect(field).to_be_focused()
    page.keyboard.type(words)
    expect(page.get_by_role("option", selected=True).filter(has_text=words)).to_be_visible()
    page.keyboard.press("Enter")
    expect(field).to_have_count(0)

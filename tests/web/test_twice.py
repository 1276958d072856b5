"""Two presses before the page is drawn again, as on a slow machine: what is signed is signed once."""

from playwright.sync_api import Locator, expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.phrases import key_of_phrase, phrase_of

# Both in one task of the page: it cannot draw in between.
SEND_TWICE = """(field) => [1, 2].forEach(() => field.dispatchEvent(
  new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true })))"""
CLICK_TWICE = "(button) => [1, 2].forEach(() => button.click())"


def twice(button: Locator) -> None:
    expect(button).to_be_enabled()
    button.evaluate(CLICK_TWICE)


def test_what_is_pressed_twice_is_sent_once(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("hasty")
    hasty, other = authors.new("hasty", key_of_phrase(phrase)), authors.new("hasty receiver")
    thread_id = hasty.thread("# Haste\n\nIts first message.")
    visitor = visit()
    visitor.restore(phrase)
    page = visitor.go(f"/thread/{thread_id}")
    field = page.get_by_role("textbox", name="Message", exact=True)
    field.fill("Sent by two presses.")
    field.evaluate(SEND_TWICE)
    expect(field).to_have_value("")
    visitor.await_final()

    page = visitor.go("/new")
    page.get_by_role("textbox", name="Title").fill("Begun once")
    page.get_by_role("textbox", name="First message").fill("Begun by two presses.")
    twice(page.get_by_role("button", name="Sign and begin"))
    expect(visitor.message("Begun by two presses.")).to_be_visible()

    page = visitor.go(f"/account/{hasty.address}")
    page.get_by_role("button", name="Send CHOIR").click()
    dialog = page.get_by_role("dialog", name="Send CHOIR")
    dialog.get_by_role("textbox", name="To").fill(other.address)
    dialog.get_by_role("textbox", name="Amount").fill("1000")
    twice(dialog.get_by_role("button", name="Sign and send"))
    expect(dialog).to_have_count(0)
    # Another of the account's comes after whatever a second press has sent: what there is by then is all.
    visitor.go(f"/thread/{thread_id}")
    visitor.write("Written after all of it.")
    expect(visitor.message("Sent by two presses.")).to_have_count(1)
    expect(visitor.balance()).to_contain_text("9,000")
    page.get_by_role("navigation", name="Threads").get_by_role("link", name="Begun once").click()
    expect(page.get_by_text("1 message", exact=True)).to_be_visible()

"""An answer of the chorus becomes a message: of an own thread, or as a spec of another."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.phrases import key_of_phrase, phrase_of
from tests.web.visitor import Visitor


def ask(visitor: Visitor, question: str, answer: str) -> Locator:
    """Ask the chorus, and open what keeps its answer; returns the dialog."""
    page = visitor.go("/runs")
    page.get_by_role("textbox", name="Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text(answer)
    page.get_by_role("button", name="Keep").click()
    dialog = page.get_by_role("dialog", name="Keep this answer")
    expect(dialog.get_by_role("textbox", name="Message")).to_have_value(re.compile(re.escape(answer)))
    return dialog


def choose_thread(page: Page, dialog: Locator, title: str) -> None:
    field = dialog.get_by_role("combobox", name="Thread")
    field.click()
    field.fill(title)
    page.get_by_role("option", name=title).click()
    expect(field).to_have_value(title)


def test_an_answer_is_posted_to_an_own_thread(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("keeps for herself")
    keeper = authors.new("", key_of_phrase(phrase))
    authors.new("glacier author").thread("# Glaciers\n\nGlacier ice looks blue because it absorbs red light.")
    thread_id = keeper.thread("# Notes on ice\n\nWhat was found out.")
    visitor = visit()
    visitor.restore(phrase)
    dialog = ask(visitor, "Why does glacier ice look blue?", "Glacier ice looks blue")
    page = visitor.page
    choose_thread(page, dialog, "Notes on ice")
    dialog.get_by_role("textbox", name="Message").fill("In my own words: it absorbs red light. [1]")
    expect(dialog.get_by_text("It cites 1 message as priors.")).to_be_visible()
    dialog.get_by_role("button", name="Sign and post").click()
    expect(page.get_by_text("The answer is a message of yours now.")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/thread/{thread_id}\?message="))
    message = visitor.message("In my own words: it absorbs red light.")
    expect(message).to_have_attribute("data-focused", "true")
    expect(message.get_by_role("list", name="Priors")).to_contain_text("Glacier ice looks blue")


def test_an_answer_is_submitted_as_a_spec(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("keeps for others")
    authors.new("", key_of_phrase(phrase))
    host = authors.new("desert host")
    thread_id = host.thread("# Deserts\n\nDesert varnish grows by a thousandth of a millimetre in a century.")
    visitor = visit()
    visitor.restore(phrase)
    dialog = ask(visitor, "How fast does desert varnish grow?", "Desert varnish grows")
    page = visitor.page
    dialog.get_by_role("radiogroup", name="How to keep it").get_by_text("Submit with a stake").click()
    choose_thread(page, dialog, "Deserts")
    stake = dialog.get_by_role("textbox", name="Stake in CHOIR")
    submit = dialog.get_by_role("button", name="Sign and submit")
    stake.fill("5")
    expect(dialog.get_by_text("At least 100 CHOIR.")).to_be_visible()
    expect(submit).to_be_disabled()
    stake.fill("120")
    submit.click()
    expect(page.get_by_text("The co-authors are asked to vote.")).to_be_visible()
    expect(page).to_have_url(re.compile("/spec/[0-9a-f]{64}$"))
    spec = page.get_by_role("article", name="Spec")
    expect(spec).to_contain_text("staked 120 CHOIR")
    expect(spec).to_contain_text("Desert varnish grows")
    expect(spec.get_by_role("link", name="Prior 1", exact=True).first).to_be_visible()
    expect(visitor.balance()).to_contain_text("9,880")
    # Its thread's co-author approves, and it stands there.
    host.vote(page.url.rpartition("/")[2], approve=True)
    expect(spec).to_contain_text("Approved: it joined the thread")
    page = visitor.go(f"/thread/{thread_id}")
    expect(page.get_by_text("approved spec")).to_be_visible()

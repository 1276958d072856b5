"""Messages that were encrypted before they were sent: the app says so, shows no ciphertext as a text, writes none."""

import re

from playwright.sync_api import expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.phrases import key_of_phrase, phrase_of

CIPHERTEXT = "Y2lwaGVy_# [1]($$dGV4dA==$$) " + "QUJDREVG" * 40
SAID = "Encrypted by its author."
CANNOT = "This app cannot encrypt."


def test_what_is_encrypted_is_called_so(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("holds a key")
    holder, proposer = authors.new("", key_of_phrase(phrase)), authors.new("encrypts a spec")
    thread_id = holder.thread(CIPHERTEXT, privacy="encrypted")
    spec_id = proposer.submit_spec(thread_id, f"spec {CIPHERTEXT}")
    visitor = visit()
    visitor.restore(phrase)
    page = visitor.go(f"/thread/{thread_id}")
    expect(page.get_by_role("heading", name="Private thread", level=1)).to_be_visible()
    message = page.get_by_role("article", name="Message 1", exact=True)
    expect(message).to_contain_text(SAID)
    stored = message.get_by_text("Y2lwaGVy")
    expect(stored).to_be_hidden()
    message.get_by_text("Show what the node stores").click()
    expect(stored).to_be_visible()
    assert visitor.fits()
    expect(page.get_by_role("region", name="Open specs").get_by_role("article", name="Spec")).to_contain_text(SAID)
    visitor.choose(message, "Change who reads it")
    expect(page.get_by_role("dialog")).to_contain_text("It is encrypted.")
    page.keyboard.press("Escape")
    page = visitor.go(f"/spec/{spec_id}")
    expect(page.get_by_role("article", name="Spec")).to_contain_text(SAID)
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()


def test_nothing_is_written_in_the_clear_where_all_is_encrypted(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("writes in the clear")
    thread_id = authors.new("", key_of_phrase(phrase)).thread(CIPHERTEXT, privacy="encrypted")
    visitor = visit()
    visitor.restore(phrase)
    page = visitor.go(f"/thread/{thread_id}")
    field = page.get_by_role("textbox", name="Message", exact=True)
    field.fill("In the clear.")
    expect(page.get_by_text(CANNOT)).to_be_visible()
    expect(page.get_by_role("button", name="Sign and send")).to_be_disabled()
    field.press("Control+Enter")
    expect(field).to_have_value("In the clear.")
    page.get_by_role("button", name="Who reads it: Encrypted").click()
    page.get_by_role("menuitem", name=re.compile("^Co-authors")).click()
    expect(page.get_by_text(CANNOT)).to_have_count(0)
    visitor.send(field)
    expect(visitor.message("In the clear.")).to_contain_text("Co-authors")


def test_others_see_only_that_it_exists(visit: Visit, authors: Authors) -> None:
    author = authors.new("encrypts for friends")
    thread_id = author.thread("# Open beginning\n\nEverybody reads this.")
    sealed = author.post(thread_id, CIPHERTEXT, privacy="encrypted")
    author.post(thread_id, "What builds on it: [1]", sealed)
    visitor = visit()
    page = visitor.go(f"/thread/{thread_id}")
    message = page.get_by_role("article", name="Message 2", exact=True)
    expect(message).to_contain_text(SAID)
    expect(message.get_by_text("Show what the node stores")).to_have_count(0)
    visitor.message("What builds on it").get_by_role("link", name="Prior 1").hover()
    expect(page.get_by_role("dialog")).to_contain_text("It is encrypted")
    assert "Y2lwaGVy" not in page.content()

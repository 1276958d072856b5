"""A thread of many pages: its end, a message in its middle and its beginning are a page away, and nothing jumps."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.authors import Author, Authors
from tests.web.conftest import Visit
from tests.web.visitor import Visitor

MESSAGES = 520  # with a page of 200: what is in the middle is on neither the first page nor the last
# Where each message in the page stands, from the top of the flow.
TOPS = """() => {
  const flow = document.querySelector("[role=feed]").parentElement;
  const top = flow.getBoundingClientRect().top;
  return Object.fromEntries([...flow.querySelectorAll("article[aria-posinset]")].map((article) =>
    [Number(article.ariaPosInSet), article.getBoundingClientRect().top - top]));
}"""
# Scrolls up by a part of the window, and tells what then stands in it once it is drawn.
SCROLL_UP = """async () => {
  const flow = document.querySelector("[role=feed]").parentElement;
  const height = flow.clientHeight;
  flow.scrollTop -= Math.round(height / 3);
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const top = flow.getBoundingClientRect().top;
  return [...flow.querySelectorAll("[role=feed] article[aria-posinset]")]
    .filter((article) => {
      const { top: from, bottom } = article.getBoundingClientRect();
      return bottom > top && from < top + height;
    })
    .map((article) => Number(article.ariaPosInSet));
}"""


@pytest.fixture(scope="module")
def long_thread(authors: Authors) -> tuple[Author, str, list[str]]:
    """Its author, its id, and the hashes of its messages."""
    author = authors.new("writes a lot")
    thread_id = author.thread()
    texts = [f"Number {at}. " + "It has some words. " * (at % 7 * 4) for at in range(1, MESSAGES + 1)]
    return author, thread_id, [author.post(thread_id, text) for text in texts]


def pages_read(visitor: Visitor, thread_id: str) -> int:
    return len([url for url in visitor.watch.requests if f"/v1/thread/{thread_id}" in url and "limit=200" in url])


def number(page: Page, at: int):  # type: ignore[no-untyped-def]
    return page.get_by_role("article", name=f"Message {at}", exact=True)


def test_a_message_in_the_middle_is_a_page_away(visit: Visit, long_thread: tuple[Author, str, list[str]]) -> None:
    _, thread_id, hashes = long_thread
    visitor = visit()
    page = visitor.go(f"/message/{hashes[299]}")
    expect(number(page, 300)).to_have_attribute("data-focused", "true")
    expect(number(page, 300)).to_contain_text("Number 300.")
    expect(number(page, 300)).to_be_in_viewport()
    # The page around it; and its end is looked at once more for what has come since.
    assert pages_read(visitor, thread_id) <= 2

    seen = {300}
    while min(seen) > 1:
        shown = page.evaluate(SCROLL_UP)
        # Nothing is passed over, and what is there is a little further up than what was there before.
        assert not shown or max(shown) >= min(seen) - 1, f"from {min(seen)} to {shown}"
        assert not shown or min(shown) >= min(seen) - 25, f"from {min(seen)} to {shown}"
        seen |= set(shown)
    assert seen >= set(range(1, 301))
    expect(number(page, 1)).to_contain_text("Number 1.")


def test_the_ends_are_a_key_away(visit: Visit, long_thread: tuple[Author, str, list[str]]) -> None:
    author, thread_id, _ = long_thread
    visitor = visit()
    page = visitor.go(f"/thread/{thread_id}")
    expect(number(page, 1)).to_be_in_viewport()
    flow = page.get_by_role("region", name="Messages")
    flow.press("End")
    expect(number(page, MESSAGES)).to_be_in_viewport()
    expect(number(page, MESSAGES)).to_contain_text(f"Number {MESSAGES}.")
    assert pages_read(visitor, thread_id) <= 4
    # What comes is told at the end that is loaded.
    author.post(thread_id, "Written meanwhile.")
    expect(page.get_by_text("Written meanwhile.")).to_be_visible()
    flow.press("Home")
    expect(number(page, 1)).to_be_in_viewport()
    page.get_by_role("button", name="Latest").click()
    expect(page.get_by_text("Written meanwhile.")).to_be_in_viewport()


def test_what_one_looks_at_stays_where_it_is_while_earlier_messages_come(
    visit: Visit, long_thread: tuple[Author, str, list[str]]
) -> None:
    _, thread_id, hashes = long_thread
    visitor = visit()
    held = []
    visitor.page.route(re.compile("before="), lambda route: held.append(route))
    page = visitor.go(f"/thread/{thread_id}?message={hashes[299]}")
    expect(number(page, 300)).to_be_in_viewport()
    visitor.until(lambda: bool(page.evaluate(SCROLL_UP)) and bool(held), "the messages before are asked for")
    expect(page.get_by_text("Loading earlier messages")).to_be_visible()
    before = page.evaluate(TOPS)
    held[0].continue_()
    expect(page.get_by_text("Loading earlier messages")).to_have_count(0)
    after = page.evaluate(TOPS)
    both = before.keys() & after.keys()
    assert both
    assert all(abs(before[at] - after[at]) <= 1 for at in both), (before, after)


def test_an_address_of_a_message_that_is_none_shows_the_thread(
    visit: Visit, long_thread: tuple[Author, str, list[str]]
) -> None:
    _, thread_id, _ = long_thread
    visitor = visit()
    visitor.watch.allow_failed_requests()
    page = visitor.go(f"/thread/{thread_id}?message={'0' * 64}")
    expect(number(page, 1)).to_be_in_viewport()

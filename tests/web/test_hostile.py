"""What authors write is shown and does nothing: no script, no request, no dialog, no broken page."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.hostile_texts import BIDI, BREAKS_NO_LAYOUT, ELSEWHERE, RUNS_NOTHING
from tests.web.visitor import PHONE

HANDLERS = "e => [...e.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
FIXED = "e => [...e.querySelectorAll('*')].filter(e => getComputedStyle(e).position === 'fixed').length"
SCROLL_TO = """async (position) => {
  for (;;) {
    const scroller = document.querySelector("[role=feed]").parentElement;
    const article = document.querySelector(`article[aria-posinset="${position}"]`);
    if (article) return article.scrollIntoView({ block: "nearest" });
    scroller.scrollTop += scroller.clientHeight / 2;
    await new Promise(requestAnimationFrame);
  }
}"""
SAFE_LINK = re.compile(r"^(https?:|mailto:|/|#)")


@pytest.mark.parametrize("what", RUNS_NOTHING)
def test_a_text_runs_nothing(what: str, authors: Authors, visit: Visit) -> None:
    text = RUNS_NOTHING[what]
    title = "<img src=x onerror=alert(1)><script>alert(1)</script> {{1}} ${1}"
    thread_id = authors.new(f"hostile {what}").thread(title, text, "The message below it.")
    visitor = visit()
    page = visitor.go(f"/thread/{thread_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    article = page.get_by_role("article", name="Message 2", exact=True)
    expect(article).to_contain_text(text.split()[0])
    visitor.settle()
    expect(visitor.message("The message below it.")).to_be_visible()
    assert page.evaluate("window.pwned") is None
    assert article.locator("script, style, link, iframe, object, embed, form, base, meta, img, image").count() == 0
    assert article.evaluate(HANDLERS) == []
    assert article.evaluate(FIXED) == 0
    for link in article.locator("a").all():
        assert SAFE_LINK.match(link.get_attribute("href") or "#"), link.get_attribute("href")
    visitor.watch.check()


def test_links_out_say_where_they_lead_and_tell_nothing(authors: Authors, visit: Visit) -> None:
    target = f"https://{ELSEWHERE}/login"
    text = f"Links out\n\n[https://example.org/safe]({target}) and ![a picture]({target}.png) and https://example.org/plain"
    visitor = visit()
    visitor.go(f"/thread/{authors.new('links out').thread('Links', text)}")
    links = visitor.message("Links out").locator("a[target=_blank]")
    expect(links).to_have_count(3)
    for link in links.all():
        rel = (link.get_attribute("rel") or "").split()
        assert {"noopener", "noreferrer"} <= set(rel)
    # A label that names another place than the link's gives the true one beside it.
    expect(links.first).to_contain_text(ELSEWHERE)


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
def test_no_text_breaks_the_page(viewport: dict[str, int] | None, authors: Authors, visit: Visit) -> None:
    author = authors.new(f"layout {viewport}")
    thread_id = author.thread("Layout", *BREAKS_NO_LAYOUT.values())
    visitor = visit(**({"viewport": viewport} if viewport else {}))
    page = visitor.go(f"/thread/{thread_id}")
    for position in range(1, len(BREAKS_NO_LAYOUT) + 2):
        article = page.locator(f'article[aria-posinset="{position}"]')
        _scroll_to(page, position)
        expect(article).to_be_visible()
        assert visitor.fits(), f"message {position}"
        assert article.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), f"message {position} is too wide"


def test_marks_of_direction_stay_in_their_own_words(authors: Authors, visit: Visit) -> None:
    author = authors.new("direction")
    thread_id = author.thread(f"Title {BIDI}\n\nText {BIDI}", "After it.")
    visitor = visit()
    page = visitor.go("/threads")
    title = page.locator('[dir="auto"]').filter(has_text="txt.exe").first
    expect(title).to_be_visible()
    # The title is isolated: what stands around it keeps its own direction and place.
    assert title.evaluate("e => getComputedStyle(e).unicodeBidi") in ("isolate", "plaintext", "isolate-override")
    page.goto(f"/thread/{thread_id}")
    visitor.settle()
    assert page.get_by_role("heading", level=1).evaluate("e => getComputedStyle(e).unicodeBidi") != "normal"
    expect(page).to_have_title(re.compile("^Title .*txt.exe"))
    assert BIDI[0] not in page.title()


def test_right_to_left_text_stands_right(authors: Authors, visit: Visit) -> None:
    thread_id = authors.new("rtl").thread("مرحبا بالعالم\n\nهذا نص من اليمين إلى اليسار", "And English below.")
    visitor = visit()
    page = visitor.go(f"/thread/{thread_id}")
    direction = "e => getComputedStyle(e).direction"
    assert page.get_by_role("heading", level=1).evaluate(direction) == "rtl"
    assert visitor.message("هذا نص").get_by_text("هذا نص").evaluate(direction) == "rtl"
    assert visitor.message("And English").get_by_text("And English").evaluate(direction) == "ltr"


def _scroll_to(page, position: int) -> None:  # type: ignore[no-untyped-def]
    """Scroll down until the message of that place is in the page: only those near the window are."""
    page.evaluate(SCROLL_TO, position)

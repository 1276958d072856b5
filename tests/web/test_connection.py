"""A line that breaks, a page that is loaded again in the middle, and what the node refuses: nothing is lost unsaid."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from choir.ledger.transactions import Transfer
from tests.support.node import NodeProcess
from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.cut import Line
from tests.web.phrases import key_of_phrase, phrase_of
from tests.web.visitor import Visitor

BAR = "you read what is cached; nothing is sent"

BACK_MS = 90_000  # pauses between attempts grow to half a minute
SENDING = "**/v1/tx?*"


@pytest.fixture
def line(node: NodeProcess) -> Iterator[Line]:
    found = Line(node.url)
    yield found
    found.close()


def writer(visit: Visit, line: Line, name: str) -> Visitor:
    """Somebody in a thread of their own, over a line that can be cut."""
    visitor = visit(line.url)
    visitor.watch.allow_failed_requests()
    visitor.restore(phrase_of(name))
    visitor.begin_thread(f"Thread of {name}", f"What {name} wrote first.")
    return visitor


def test_a_cut_line_is_told_and_what_was_read_stays(visit: Visit, line: Line, authors: Authors) -> None:
    other_id = authors.new("elsewhere").thread("# Elsewhere\n\nRead before the cut.")
    visitor = writer(visit, line, "cut")
    page = visitor.go(f"/thread/{other_id}")
    page.get_by_role("navigation").get_by_role("link", name="Thread of cut").first.click()
    expect(visitor.message("What cut wrote first.")).to_be_visible()
    line.cut()
    expect(page.get_by_role("status", name="Connection")).to_contain_text(BAR)
    expect(visitor.message("What cut wrote first.")).to_be_visible()
    page.go_back()
    expect(visitor.message("Read before the cut.")).to_be_visible()
    line.mend()
    expect(page.get_by_role("status", name="Connection")).to_be_empty(timeout=BACK_MS)
    expect(visitor.message("Read before the cut.")).to_be_visible()


def test_the_bar_says_whether_only_what_is_new_is_missing(visit: Visit, line: Line) -> None:
    """The node answers, but its live connection does not stand: nothing is cut off but news."""
    visitor = writer(visit, line, "half connected")
    page, sockets = visitor.page, []
    page.route_web_socket("**/v1/ws", lambda socket: (sockets.append(socket), socket.close()))
    page.reload()
    visitor.settle()
    bar = page.get_by_role("status", name="Connection")
    expect(bar).to_contain_text("Reconnecting")
    # What is sent and read goes on.
    expect(visitor.write("Written without the live connection.")).to_be_visible()
    tried = len(sockets)
    bar.get_by_role("button", name="Try now").click()
    visitor.until(lambda: len(sockets) > tried, "it is tried at once")
    line.cut()
    expect(bar).to_contain_text(BAR)
    line.mend()
    expect(bar).to_contain_text("Reconnecting", timeout=BACK_MS)


def test_a_browser_that_is_offline_says_so_and_recovers(visit: Visit, line: Line) -> None:
    visitor = writer(visit, line, "offline")
    visitor.context.set_offline(True)
    line.cut()  # what is open already is not touched by the browser's switch
    bar = visitor.page.get_by_role("status", name="Connection")
    expect(bar).to_contain_text(BAR)
    line.mend()
    visitor.context.set_offline(False)
    expect(bar).to_be_empty(timeout=BACK_MS)
    expect(visitor.write("Written after it.")).to_be_visible()


def test_nothing_is_queued_silently(visit: Visit, line: Line) -> None:
    """What is sent into a cut line says that it waits, and arrives once when the line is back."""
    visitor = writer(visit, line, "queued")
    line.cut()
    page = visitor.page
    field = page.get_by_role("textbox", name="Message", exact=True)
    field.fill("Sent into the void.")
    field.press("Control+Enter")
    told = page.get_by_text(re.compile("The node does not answer; trying again|It was not sent"))
    expect(told.first).to_be_visible()
    line.mend()
    # Either it goes through by itself, or it is back in the composer with the reason; never both, never neither.
    expect(page.locator("article + [role=status]")).to_have_count(0, timeout=BACK_MS)
    if page.get_by_text("It was not sent").is_visible():
        expect(field).to_have_value("Sent into the void.")
        expect(page.get_by_role("status", name="Connection")).to_be_empty(timeout=BACK_MS)
        visitor.send(field)
    page.reload()
    visitor.settle()
    expect(visitor.message("Sent into the void.")).to_have_count(1)


def test_a_reload_loses_no_draft_and_no_message_on_its_way(visit: Visit, line: Line) -> None:
    visitor = writer(visit, line, "reload")
    page = visitor.page
    field = page.get_by_role("textbox", name="Message", exact=True)
    field.fill("A draft, not sent yet")
    page.reload()
    visitor.settle()
    expect(field).to_have_value("A draft, not sent yet")
    page.route(SENDING, lambda route: route.abort())
    field.press("Control+Enter")
    expect(page.get_by_text("The node does not answer; trying again")).to_be_visible()
    page.reload()
    visitor.settle()
    # It did not arrive, so it is back where it was written.
    expect(field).to_have_value("A draft, not sent yet")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(visitor.message("A draft, not sent yet")).to_have_count(0)


def test_a_reload_after_the_node_has_it_shows_it_once(visit: Visit, line: Line) -> None:
    """The answer is lost and the page is loaded again: what has arrived is not offered for sending a second time."""
    visitor = writer(visit, line, "arrived")
    page = visitor.page
    answers: list[int] = []
    page.route(SENDING, lambda route: (answers.append(route.fetch().status), route.abort()))
    field = page.get_by_role("textbox", name="Message", exact=True)
    field.fill("Arrived, unanswered.")
    with page.expect_event("requestfailed", lambda request: "/v1/tx?" in request.url):
        field.press("Control+Enter")
    # The page tries again by itself, and gets the same answer for the same bytes.
    assert set(answers) == {200}
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    visitor.settle()
    visitor.await_recovered()
    expect(visitor.message("Arrived, unanswered.")).to_have_count(1)
    expect(field).to_have_value("")


def test_a_reload_in_the_middle_of_a_run_goes_on_with_it(visit: Visit, authors: Authors, line: Line) -> None:
    authors.new("source").thread("# On reefs\n\nCorals build reefs where the water is warm and clear.")
    visitor = writer(visit, line, "runner")
    page = visitor.go("/runs")
    page.get_by_role("textbox").first.fill("Where do corals build reefs?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url(re.compile("/runs/."))
    line.cut()
    line.mend()
    page.reload()
    steps = page.get_by_role("tablist", name="Steps of the run").get_by_role("tab")
    expect(steps).to_have_count(6)
    for step in steps.all():
        expect(step).to_have_attribute("data-status", "done")
    expect(page.get_by_role("region", name="Answer")).to_contain_text("Corals build reefs")


def test_what_the_node_refuses_comes_back_with_the_reason(visit: Visit, authors: Authors, node: NodeProcess) -> None:
    """The stake is gone by the time the spec arrives: the same key has spent it elsewhere."""
    phrase = phrase_of("spender")
    spender = authors.new("spender", key_of_phrase(phrase))
    thread_id = authors.new("host").thread("# A thread to propose to\n\nIts first message.")
    visitor = visit()
    visitor.watch.allow_failed_requests()
    visitor.restore(phrase)
    page = visitor.go(f"/thread/{thread_id}")
    page.get_by_role("button", name="Propose a message").click()
    text = page.get_by_role("textbox", name="Text of the spec")
    text.fill("A spec whose stake is gone.")
    exactly = page.get_by_label("Stake in CHOIR, exactly")
    exactly.fill("9000")
    exactly.blur()
    spend = page.get_by_role("button", name="Stake and submit")
    expect(spend).to_be_enabled()
    # The browser does not hear of what happens elsewhere until it has sent.
    page.route(SENDING, lambda route: (_spend(spender, authors), route.continue_()))
    spend.click()
    expect(page.get_by_role("alert").filter(has_text=re.compile("balance|nonce|enough|funds", re.I))).to_be_visible()
    expect(text).to_have_value("A spec whose stake is gone.")
    expect(page.get_by_role("region", name="Open specs")).to_have_count(0)


def _spend(spender, authors: Authors) -> None:  # type: ignore[no-untyped-def]
    spender.send(Transfer(to=authors.new("receiver").address, amount=str(9_900_000_000)))

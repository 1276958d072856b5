"""What becomes of a spec is told to whom it concerns: in passing, in the bell, and outside of the page."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from choir.ledger.genesis import DEVELOPMENT_PARAMS
from tests.support.node import prepare_data_dir, running_node
from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.phrases import key_of_phrase, phrase_of
from tests.web.visitor import Visitor

# What the browser is asked to show, with a way to click it. Somebody looks at the page unless told otherwise.
SPY = """(() => {
  const Shown = window.Notification;
  window.shown = [];
  window.isLookedAt = true;
  window.Notification = class extends Shown {
    constructor(title, options) {
      super(title, options);
      window.shown.push({ title, body: options.body, click: () => this.onclick(new Event("click")) });
    }
  };
  const state = () => (window.isLookedAt ? "visible" : "hidden");
  Object.defineProperty(document, "visibilityState", { get: state });
})()"""
LOOK_AWAY = "() => { window.isLookedAt = false; document.dispatchEvent(new Event('visibilitychange')); }"
SHOWN = "() => window.shown.map(({ title, body }) => ({ title, body }))"
WINDOW_SECONDS = 5


def toast(page: Page, words: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("alert").filter(has_text=words)


def follow_notice(page: Page, words: str) -> None:
    """Open the bell, find the one notice that says so, and go where it leads."""
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    notice = page.get_by_role("dialog", name="Notifications").get_by_role("link", name=re.compile(words))
    expect(notice).to_have_count(1)
    notice.click()


@pytest.mark.parametrize(
    ("approve", "told", "outcome"),
    [
        (True, "Your spec was approved; you are a co-author now", "Approved: it joined the thread"),
        (False, "Your spec was denied", "Denied"),
    ],
    ids=["approved", "denied"],
)
def test_an_outcome_is_told(approve: bool, told: str, outcome: str, visit: Visit, authors: Authors) -> None:
    phrase = phrase_of(f"proposer {approve}")
    proposer, host = authors.new("", key_of_phrase(phrase)), authors.new(f"outcome host {approve}")
    thread_id = host.thread(f"Soup {approve}\n\nWater and patience.")
    spec_id = proposer.submit_spec(thread_id, "And salt, at the end.")
    visitor = visit()
    visitor.restore(phrase)
    page = visitor.go_live("/network")
    host.vote(spec_id, approve=approve)
    expect(toast(page, told)).to_be_visible()
    expect(page).to_have_title("(1) Network – Choir")
    follow_notice(page, told)
    expect(page).to_have_url(re.compile(f"/spec/{spec_id}$"))
    expect(page.get_by_role("article", name="Spec")).to_contain_text(outcome)
    expect(page).to_have_title("Spec – Choir")


def test_a_request_for_a_vote_is_told_and_so_is_the_share(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("asked voter")
    voter, other = authors.new("", key_of_phrase(phrase)), authors.new("asking author")
    thread_id = voter.thread("Rice\n\nOne part rice, two parts water.")
    visitor = visit()
    visitor.restore(phrase)
    page = visitor.go_live("/network")
    spec_id = other.submit_spec(thread_id, "Rinse it first.", stake_choir=250)
    expect(toast(page, "asks for your vote on a spec")).to_be_visible()
    follow_notice(page, "asks for your vote")
    expect(page).to_have_url(re.compile(f"/spec/{spec_id}$"))
    page.get_by_role("button", name="Approve").click()
    expect(toast(page, "your share is 250 CHOIR")).to_be_visible()
    # The request is answered, and not told any more.
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    notices = page.get_by_role("dialog", name="Notifications")
    expect(notices.get_by_text("your share is 250 CHOIR")).to_be_visible()
    expect(notices.get_by_text("asks for your vote")).to_have_count(0)


@pytest.fixture
def hasty_authors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authors]:
    """People of a network whose specs end soon."""
    data_dir = tmp_path_factory.mktemp("hasty") / "data"
    params = msgspec.structs.replace(DEVELOPMENT_PARAMS, spec_window_seconds=WINDOW_SECONDS)
    genesis = prepare_data_dir(data_dir, params)
    with running_node(data_dir, log_level="warning", genesis_file=str(genesis)) as node:
        found = Authors(node.url)
        yield found
        found.close()


def test_a_spec_that_nobody_decides_expires_and_its_author_is_told(hasty_authors: Authors, visit: Visit) -> None:
    phrase = phrase_of("unheard")
    proposer, host = hasty_authors.new("", key_of_phrase(phrase)), hasty_authors.new("absent host")
    thread_id = host.thread("Silence\n\nNobody answers here.")
    visitor = visit(hasty_authors.url)
    visitor.restore(phrase)
    page = visitor.go_live("/network")
    spec_id = proposer.submit_spec(thread_id, "Is anybody there?")
    expect(toast(page, "Your spec expired before all co-authors had voted")).to_be_visible()
    follow_notice(page, "Your spec expired")
    expect(page).to_have_url(re.compile(f"/spec/{spec_id}$"))
    expect(page.get_by_role("article", name="Spec")).to_contain_text("Expired: not everybody voted in time")


def test_the_browser_shows_what_comes_while_nobody_looks(visit: Visit, authors: Authors) -> None:
    phrase = phrase_of("looks elsewhere")
    voter, other = authors.new("", key_of_phrase(phrase)), authors.new("meanwhile")
    thread_id = voter.thread("Beans\n\nSoak them overnight.")
    visitor = _watched(visit(), phrase)
    page = visitor.go_live("/network")
    first = other.submit_spec(thread_id, "Told inside of the page.")
    expect(toast(page, "asks for your vote")).to_be_visible()
    assert page.evaluate(SHOWN) == []
    page.evaluate(LOOK_AWAY)
    second = other.submit_spec(thread_id, "Told outside of it.")
    visitor.until(lambda: len(page.evaluate(SHOWN)) == 1, "the browser shows the second request")
    shown: Any = page.evaluate(SHOWN)
    assert shown[0]["title"] == "Choir"
    assert re.fullmatch(r"\S+ asks for your vote on a spec", shown[0]["body"])
    page.evaluate("() => window.shown[0].click()")
    expect(page).to_have_url(re.compile(f"/spec/{second}$"))
    expect(page.get_by_role("article", name="Spec")).to_contain_text("Told outside of it.")
    # What was clicked has been seen; the other waits in the bell.
    expect(page.get_by_role("button", name="Notifications, 1 new one")).to_be_visible()
    follow_notice(page, "asks for your vote.*new")
    expect(page).to_have_url(re.compile(f"/spec/{first}$"))


def _watched(visitor: Visitor, phrase: str) -> Visitor:
    """Somebody who turned notifications outside of the page on."""
    visitor.context.grant_permissions(["notifications"], origin=visitor.url)
    visitor.context.add_init_script(SPY)
    visitor.restore(phrase)
    page = visitor.go("/network")
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    switch = page.get_by_role("switch", name="Show them outside of this page too")
    expect(switch).not_to_be_checked()
    switch.check()
    expect(switch).to_be_checked()
    return visitor

"""Every view, looked at: accessible by axe-core, in light and dark, and as a picture for people to judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.node import running_node
from tests.web import axe
from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.showcase import Showcase, make_showcase
from tests.web.visitor import PHONE, Visitor

PICTURES = Path(__file__).parents[2] / "artifacts/screenshots"
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": PHONE, "has_touch": True, "is_mobile": True},
}


@pytest.fixture(scope="module")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Showcase]]:
    """A node with nothing but the showcase on it."""
    with running_node(tmp_path_factory.mktemp("gallery") / "data", log_level="warning") as node:
        authors = Authors(node.url)
        yield node.url, make_showcase(authors)
        authors.close()


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_is_accessible(look: str, showcase: tuple[str, Showcase], visit: Visit) -> None:
    url, shown = showcase
    found: list[str] = []
    views = _Gallery(visit(url, **LOOKS[look]), look, found)
    views.look_at("join", "/join")
    views.visitor.page.get_by_role("button", name="Make a key").click()
    views.keep("join-words")
    views.visitor.restore(shown.phrase)
    views.keep("join-ready")
    for name, path in _paths(shown).items():
        views.look_at(name, path)
    views.look_at("stranger", f"/thread/{shown.mills}")
    views.visitor.page.get_by_role("button", name="Propose a message").click()
    views.keep("composer-spec")
    _open(views, shown)
    _ask(views)
    views.look_at("home-again", "/")
    views.visitor.page.keyboard.press("Control+k")
    views.keep("command-palette")
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("look", LOOKS)
def test_every_state_is_accessible(look: str, showcase: tuple[str, Showcase], visit: Visit) -> None:
    """What a view shows while it waits, when it fails, and when there is nothing yet."""
    url, shown = showcase
    found: list[str] = []
    for state, meet in (("loading", lambda route: None), ("error", lambda route: route.abort())):
        views = _Gallery(visit(url, **LOOKS[look]), look, found)
        page = views.visitor.page
        # From the first request on: what was read once is shown from what is kept.
        views.visitor.context.route("**/v1/**", meet)
        for name, path in _paths(shown).items():
            if name in _WITH_STATES:
                page.goto(path)
                # A search fails, and is asked for once more before that is said.
                shown_by = '[role=status][aria-label^="Loading"]' if state == "loading" else "#main [role=alert]"
                expect(page.locator(shown_by).first).to_be_visible()
                views.keep(f"{state}-{name}", is_settled=False)
    newcomer = _Gallery(visit(url, **LOOKS[look]), look, found)
    newcomer.visitor.join()
    for name, path in (
        ("approvals", "/approvals"),
        ("ask", "/runs"),
        ("search", "/search"),
        ("found", f"/search?q=tides&author={newcomer.visitor.address}"),
    ):
        newcomer.look_at(f"empty-{name}", path)
    newcomer.look_at("empty-account", f"/account/{newcomer.visitor.address}")
    page = newcomer.look_at("empty-threads", "/threads")
    page.get_by_role("main").get_by_text("Yours", exact=True).click()
    newcomer.keep("empty-threads")
    if found:
        pytest.fail("\n".join(found), pytrace=False)


_WITH_STATES = {"home", "threads", "thread", "search", "spec", "proof", "account", "network"}


def _open(views: "_Gallery", shown: Showcase) -> None:
    """What opens over a view, or beside it."""
    page = views.visitor.go(f"/thread/{shown.tides}")
    views.visitor.choose(page.get_by_role("article", name="Message 2", exact=True), "Citations")
    expect(page.get_by_role("complementary", name="Citations").get_by_text("Cited by")).to_be_visible()
    views.keep("citations")
    page = views.visitor.go("/")
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_role("dialog", name="Notifications").get_by_role("link")).not_to_have_count(0)
    views.keep("bell")


def _ask(views: "_Gallery") -> None:
    page = views.look_at("ask", "/runs")
    page.get_by_role("textbox").first.fill("Why are the tides so high in some gulfs?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("button", name="Keep")).to_be_visible()
    views.keep("run")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("dialog", name="Keep this answer")).to_be_visible()
    views.keep("run-keep")


def _paths(shown: Showcase) -> dict[str, str]:
    return {
        "home": "/",
        "threads": "/threads",
        "thread": f"/thread/{shown.tides}",
        "thread-at-message": f"/thread/{shown.tides}?message={shown.reply}&from={shown.mill}",
        "thread-rtl": f"/thread/{shown.arabic}",
        "thread-encrypted": f"/thread/{shown.encrypted}",
        "new": "/new",
        "search": "/search?q=tides",
        "approvals": "/approvals",
        "spec": f"/spec/{shown.spec}",
        "proof": f"/proof/{shown.first}",
        "account": f"/account/{shown.me.address}",
        "network": "/network",
        "missing": f"/thread/{'0' * 32}",
        "nowhere": "/nowhere",
    }


class _Gallery:
    def __init__(self, visitor: Visitor, look: str, found: list[str]) -> None:
        self.visitor = visitor
        visitor.watch.allow_failed_requests()  # the missing thread
        self._look = look
        self._found = found
        PICTURES.mkdir(parents=True, exist_ok=True)

    def look_at(self, name: str, path: str) -> Page:
        page = self.visitor.go(path)
        self.keep(name)
        return page

    def keep(self, name: str, *, is_settled: bool = True) -> None:
        """A picture of what is there now, and what axe finds in it."""
        page = self.visitor.page
        if is_settled:
            self.visitor.settle()
        self.visitor.still()
        page.screenshot(path=PICTURES / f"{name}-{self._look}.png", animations="disabled")
        assert self.visitor.fits(), f"{name} is wider than the window"
        self._found += [f"{name} ({self._look}): {violation}" for violation in axe.violations(page)]

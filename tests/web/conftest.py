"""A real node, a real browser, and people in front of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from choir.api.web import WEB_DIR
from tests.support.node import NodeProcess, running_node
from tests.web.authors import Authors
from tests.web.chromium import find_chromium, running_chromium
from tests.web.visitor import PATIENCE_MS, Visitor

Visit = Callable[..., Visitor]
HERE = Path(__file__).parent
# Long enough for a machine that does much else: only a failure takes it.
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("web")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("no Chromium: apt install chromium, or set CHOIR_TEST_CHROMIUM to the program")
    if not (WEB_DIR / "index.html").is_file():
        pytest.skip("the web app is not built: make web")
    with running_chromium() as found:
        yield found


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """One node of a development chain for all stories; each has people and threads of its own."""
    with running_node(tmp_path_factory.mktemp("web") / "data", log_level="warning") as found:
        yield found


@pytest.fixture(scope="session")
def authors(node: NodeProcess) -> Iterator[Authors]:
    found = Authors(node.url)
    yield found
    found.close()


@pytest.fixture
def visit(browser: Browser, node: NodeProcess) -> Iterator[Visit]:
    """Opens browsers of one person each. At the end, none has asked anybody but the node for anything, and none has
    complained."""
    visitors: list[Visitor] = []

    def open_browser(url: str = node.url, **options: Any) -> Visitor:
        visitors.append(Visitor(browser, url, **options))
        return visitors[-1]

    yield open_browser
    for visitor in visitors:
        visitor.watch.end()
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        visitor.watch.check()

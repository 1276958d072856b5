"""The network page: what was measured of the node's memory, and that a damaged record shows."""

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from choir.coherence.records import EpochRecord
from choir.ledger.params import EPOCH_MS
from choir.ledger.transactions import Transfer
from tests.support.chain import NODE
from tests.support.node import NodeProcess, running_node
from tests.web import axe
from tests.web.authors import Author, Authors
from tests.web.conftest import Visit
from tests.web.test_gallery import LOOKS, PICTURES
from tests.web.visitor import PHONE

PATIENCE_SECONDS = 60


class Measured:
    """A node of its own with five messages, whose clock the test sets forward."""

    def __init__(self, node: NodeProcess, clock_file: Path, author: Author, authors: Authors) -> None:
        self.node, self._clock_file, self._author, self._authors = node, clock_file, author, authors
        self._passed = 0

    def close_epoch(self) -> EpochRecord:
        """End the epoch by a block in the next one; returns what was measured."""
        before = self._newest()
        self._passed += 1
        self._clock_file.write_text(str(self._passed * EPOCH_MS))
        self._author.send(Transfer(to=NODE.address, amount="1"))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (newest := self._newest()) is None or newest == before:
            assert time.monotonic() < deadline, self.node.stderr()
            time.sleep(0.05)
        return newest

    def damage(self, statement: str) -> None:
        """Change ``memory.db`` behind the node's back."""
        database = sqlite3.connect(self.node.data_dir / "memory.db", isolation_level=None, timeout=30)
        database.execute(statement)
        database.close()

    def _newest(self) -> EpochRecord | None:
        return next(iter(self._authors.do(self._authors.client.epochs(limit=1)).items), None)


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Measured]:
    clock_file = tmp_path / "clock"
    clock_file.write_text("0")
    monkeypatch.setenv("CHOIR_TEST_CLOCK_FILE", str(clock_file))
    with running_node(tmp_path / "data", log_level="warning") as node:
        authors = Authors(node.url)
        author = authors.new("measured")
        author.thread(*(f"Tide table\n\nHigh water of day {day} was at {day} o'clock." for day in range(1, 6)))
        yield Measured(node, clock_file, author, authors)
        authors.close()


def test_a_damaged_record_makes_the_node_less_coherent(measured: Measured, visit: Visit) -> None:
    page = visit(measured.node.url).go("/network")
    coherence = page.locator("section").filter(has=page.get_by_role("heading", name="Coherence", exact=True))
    expect(coherence.get_by_text("Nothing was measured yet")).to_be_visible()
    assert measured.close_epoch().coherence_millionths == 1_000_000
    expect(coherence.get_by_text("is as the ledger says (5 messages, 5 texts, 40 answers of search)")).to_be_visible()
    expect(coherence.get_by_role("definition").first).to_contain_text("1.000")
    expect(page.get_by_text("score Ψ 0.850")).to_be_visible()

    measured.damage("UPDATE record SET text = 'There are no tides.' WHERE id = 2")
    assert measured.close_epoch().coherence_millionths < 1_000_000
    expect(coherence.get_by_text("the memory is not as the ledger says")).to_be_visible()
    expect(coherence.get_by_role("listitem").filter(has_text="1 text is not the one that was signed")).to_be_visible()
    expect(coherence.get_by_role("definition").first).to_contain_text("0.900")
    expect(coherence.get_by_role("img", name=re.compile(r"0\.900 now and was 0\.900 at its lowest"))).to_be_visible()
    rows = coherence.get_by_role("table", name="Measured epochs").get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("1 text is not the one that was signed")
    expect(rows.nth(2)).to_contain_text("nothing")


def test_the_page_is_accessible_and_fits_with_a_history(measured: Measured, visit: Visit) -> None:
    for _ in range(5):
        measured.close_epoch()
    measured.damage("UPDATE record SET text = 'There are no tides.', is_erased = 0 WHERE id IN (2, 3)")
    for _ in range(3):
        measured.close_epoch()
    found: list[str] = []
    PICTURES.mkdir(parents=True, exist_ok=True)
    for look, options in LOOKS.items():
        visitor = visit(measured.node.url, **options)
        page = visitor.go("/network")
        expect(page.get_by_role("img", name=re.compile("^Coherence, attunement and score"))).to_be_visible()
        page.get_by_role("button", name="Show 2 more epochs").click()
        expect(page.get_by_role("table", name="Measured epochs").get_by_role("row")).to_have_count(9)
        page.get_by_role("heading", name="Coherence", exact=True).evaluate("heading => heading.scrollIntoView()")
        visitor.settle()
        visitor.still()
        page.screenshot(path=PICTURES / f"network-coherence-{look}.png", animations="disabled")
        assert visitor.fits(), look
        found += [f"{look}: {violation}" for violation in axe.violations(page)]
    assert not found, "\n".join(found)


def test_on_a_phone_every_table_fits(measured: Measured, visit: Visit) -> None:
    measured.close_epoch()
    page = visit(measured.node.url, viewport=PHONE, has_touch=True, is_mobile=True).go("/network")
    expect(page.get_by_role("table")).to_have_count(2)
    expect(page.get_by_role("columnheader", name="State after it")).to_have_count(0)
    for table in page.get_by_role("table").all():
        box = table.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"], "it is cut"

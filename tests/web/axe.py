"""axe-core, the accessibility checker, run inside a page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SOURCE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# Everything up to WCAG 2.2, level AA.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """What is wrong with the page as it stands, one line for each kind. Runs beside the page's scripts, as the
    browser's tools do, so that the policy of the page needs no exception."""
    page.evaluate(_SOURCE.read_text())
    found: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", _TAGS
    )
    return [_describe(violation) for violation in found["violations"]]


def _describe(violation: dict[str, Any]) -> str:
    nodes = [f"{' '.join(map(str, node['target']))}: {node['failureSummary']}" for node in violation["nodes"]]
    return f"{violation['id']} ({violation['help']})\n    " + "\n    ".join(nodes[:5])

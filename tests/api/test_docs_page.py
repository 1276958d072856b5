"""The API as a page."""

import aiohttp

from tests.support.node import NodeProcess


async def test_the_documentation_is_one_page_without_scripts_or_third_parties(shared_node: NodeProcess) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{shared_node.url}/docs") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        text = await answer.text()
    assert "/v1/search" in text
    assert "<script" not in text
    assert "//" not in text.replace("<!doctype", "")


async def test_the_address_itself_shows_the_app_or_how_to_build_it(shared_node: NodeProcess) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{shared_node.url}/") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        text = await answer.text()
    assert '<div id="root">' in text or "make web" in text

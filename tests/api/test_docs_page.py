"""What a browser shows of a node that has no web app yet."""

import aiohttp

from tests.support.node import NodeProcess


async def test_the_address_itself_shows_the_documentation(shared_node: NodeProcess) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{shared_node.url}/") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            text = await answer.text()
        async with session.get(f"{shared_node.url}/docs") as answer:
            assert await answer.text() == text
    assert "/v1/search" in text
    assert "<script" not in text
    assert "//" not in text.replace("<!doctype", "")

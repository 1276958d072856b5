"""What a browser shows of a node that has no web app yet."""

import aiohttp

from tests.support.node import NodeProcess


async def test_the_address_itself_leads_to_the_documentation(shared_node: NodeProcess) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{shared_node.url}/") as answer:
        text = await answer.text()
    assert answer.status == 200
    assert answer.url.path == "/docs"
    assert "/v1/search" in text
    assert "<script" not in text
    assert "//" not in text.replace("<!doctype", "")

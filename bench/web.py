"""How fast is the web app? A real Chromium (cold, and slowed down where it says so) against a real node.

Prints one JSON object; docs/reference/performance.md says what the figures mean.

    python bench/web.py --proposals DIRECTORY --messages 10000
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from choir.bench.rest import running_node
from choir.client import Client
from choir.client.signing import make_content, make_thread_id, sign_transaction
from choir.ledger.proofs import Content, content_hash_of
from choir.ledger.transactions import AnyBody, CreateThread, PostMessage
from choir.primitives.signatures import SigningKey

ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SLOWDOWN = 4
COLD_LOADS = 5
SENT_MESSAGES = 12
WHEEL_PX = 900
TIMEOUT_MS = 120_000

# Runs before the page's own scripts. `rows` is when threads are painted, `delay` how long the next key waits.
WATCH_START = """
window.bench = { rows: 0, delay: undefined, longTasks: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) bench.longTasks.push(entry.duration);
}).observe({ type: "longtask", buffered: true });
addEventListener("keydown", (event) => { bench.delay ??= performance.now() - event.timeStamp; }, true);
const painted = (found) => requestAnimationFrame(() => setTimeout(() => found(performance.now())));
const look = new MutationObserver(() => {
  if (document.querySelector("#main li a[href^='/thread/']")) {
    look.disconnect();
    painted((at) => { bench.rows = at; });
  }
});
look.observe(document, { childList: true, subtree: true });
"""
# From the key to the message in the flow, painted.
WATCH_SENDING = """(text) => {
  window.shown = new Promise((resolve) => {
    let pressed;
    addEventListener("keydown", (event) => { if (event.key === "Enter") pressed = event.timeStamp; }, true);
    const look = new MutationObserver(() => {
      const found = [...document.querySelectorAll("article")].some((article) => article.textContent.includes(text));
      if (!found || pressed === undefined) return;
      look.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - pressed)));
    });
    look.observe(document, { childList: true, subtree: true, characterData: true });
  });
}"""
AT_END = """() => {
  const scroller = document.querySelector("[role=feed]").parentElement;
  const last = document.querySelector("[role=feed] article:last-of-type");
  return { top: scroller.scrollTop, rest: scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop,
           position: Math.max(...[...document.querySelectorAll("article")].map((e) => Number(e.ariaPosInSet) || 0)) };
}"""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=Path, help="directory of Markdown proposals that is imported first")
    parser.add_argument("--limit", type=int, help="only so many of them")
    parser.add_argument("--messages", type=int, default=10_000, help="messages of the long thread")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with running_node(directory / "data") as url:
            if given.proposals is not None:
                await import_proposals(url, directory, given.proposals, given.limit)
            thread_id = await make_long_thread(url, given.messages)
            async with running_browser() as browser:
                figures = {
                    **await measure_size(browser, url),
                    **await measure_start(browser, url),
                    **await measure_sending(browser, url),
                    **await measure_scrolling(browser, url, thread_id, given.messages),
                }
    print(json.dumps(figures, indent=1))


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    path = os.environ.get("CHOIR_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise SystemExit("no Chromium: apt install chromium, or set CHOIR_TEST_CHROMIUM to the program")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *sandbox])
        yield browser
        await browser.close()


async def import_proposals(url: str, directory: Path, proposals: Path, limit: int | None) -> None:
    command = [sys.executable, "-m", "choir.cli.main", "--node", url, "--keyring", str(directory / "keyring.jwe")]
    command += ["--json", "import", str(proposals), *(["--limit", str(limit)] if limit else [])]
    password = directory / "password"
    password.write_text("only for measuring\n")
    password.chmod(0o600)
    command[3:3] = ["--password-file", str(password)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait() != 0:
        raise SystemExit(f"the proposals of {proposals} were not imported")


async def make_long_thread(url: str, count: int) -> str:
    """A thread of ``count`` messages of different lengths, all of one author."""
    key = SigningKey(os.urandom(32))
    thread_id = make_thread_id()
    async with Client(url) as client:
        chain_id = (await client.network()).chain_id

        async def send(nonce: int, body: AnyBody, content: Content | None = None) -> None:
            tx = sign_transaction(key, body, chain_id=chain_id, nonce=nonce)
            # All but the first and the last are only admitted: their blocks are made meanwhile.
            await (client.admit(tx, content) if 0 < nonce < count else client.submit(tx, content))

        await send(0, CreateThread(thread_id=thread_id, privacy="public"))
        for number in range(1, count + 1):
            content = make_content(key.address, thread_id, text_of(number))
            body = PostMessage(thread_id=thread_id, content_hash=content_hash_of(content), priors=())
            await send(number, body, content)
    return thread_id


def text_of(number: int) -> str:
    sentence = f"Message {number} says that the tide of day {number} came {number % 24} hours after the moon. "
    extra = ("", "\n\n- one\n- two", "\n\n```python\nheight = range_m / 2\n```", "\n\n> quoted")[number % 4]
    return sentence * (1 + number % 7) + extra


async def measure_size(browser: Browser, url: str) -> dict[str, Any]:
    """What the first load fetches until the threads are painted, by kind, as gzip and as the browser would choose."""
    figures: dict[str, Any] = {}
    for encoding in ("gzip", "br"):
        page, session = await open_page(browser, url)
        await session.send("Network.enable")
        await session.send("Network.setExtraHTTPHeaders", {"headers": {"Accept-Encoding": encoding}})
        kinds: dict[str, str] = {}
        sizes: dict[str, float] = {}
        session.on(
            "Network.responseReceived", lambda event, kinds=kinds: kinds.update({event["requestId"]: event["type"]})
        )
        session.on(
            "Network.loadingFinished",
            lambda event, sizes=sizes: sizes.update({event["requestId"]: event["encodedDataLength"]}),
        )
        await page.add_init_script(WATCH_START)
        await page.goto("/threads", wait_until="commit")
        await wait_until(page, "bench.rows > 0")
        by_kind: dict[str, float] = {}
        for request, size in sizes.items():
            kind = kinds.get(request, "Other")
            by_kind[kind] = by_kind.get(kind, 0) + size / 1000
        bundle = sum(by_kind.get(kind, 0) for kind in ("Document", "Script", "Stylesheet"))
        figures[f"first_load_{encoding}_kb"] = round(bundle, 1)
        figures[f"first_load_{encoding}_kb_by_kind"] = {kind: round(size, 1) for kind, size in by_kind.items()}
        await page.context.close()
    return figures


async def measure_start(browser: Browser, url: str) -> dict[str, Any]:
    """Cold, on a slowed-down processor: until the threads are painted and a key is answered."""
    found = []
    for _ in range(COLD_LOADS):
        page, session = await open_page(browser, url)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        await page.add_init_script(WATCH_START)
        await page.goto("/threads", wait_until="commit")
        await wait_until(page, "bench.rows > 0")
        await page.keyboard.press("Tab")
        await wait_until(page, "bench.delay !== undefined")
        found.append(await page.evaluate("bench.rows + bench.delay"))
        await page.context.close()
    return {
        "interactive_ms_p50": round(median(found)),
        "interactive_ms_max": round(max(found)),
        "interactive_slowdown": SLOWDOWN,
    }


async def measure_sending(browser: Browser, url: str) -> dict[str, Any]:
    """From the key that sends to the message in the flow, painted: before the node has answered."""
    page, _ = await open_page(browser, url)
    await page.goto("/join")
    await page.get_by_role("button", name="Make a key").click()
    await page.get_by_label("I have written the words down").check()
    await page.get_by_role("button", name="Start").click()
    await page.get_by_role("link", name="Begin a thread").last.click()
    await page.get_by_role("textbox", name="Title").fill("A thread to write to")
    await page.get_by_role("textbox", name="First message").fill("Its first message.")
    await page.get_by_role("button", name="Sign and begin").click()
    field = page.get_by_role("textbox", name="Message", exact=True)
    found = []
    for number in range(SENT_MESSAGES):
        text = f"Sent message number {number}, and no other."
        await field.fill(text)
        await page.evaluate(WATCH_SENDING, text)
        await field.press("Control+Enter")
        found.append(await page.evaluate("shown"))
        await wait_until(page, "document.querySelectorAll('article + [role=status]').length === 0")
    await page.context.close()
    return {"pending_ms_p50": round(median(found), 1), "pending_ms_max": round(max(found), 1)}


async def measure_scrolling(browser: Browser, url: str, thread_id: str, count: int) -> dict[str, Any]:
    """A wheel from the first message to the last, while pages of messages come in."""
    page, _ = await open_page(browser, url)
    await page.add_init_script(WATCH_START)
    await page.goto(f"/thread/{thread_id}")
    await page.get_by_role("article").first.wait_for()
    await page.evaluate("bench.longTasks.length = 0")
    await page.mouse.move(700, 500)
    seen, still = 0, 0
    while still < 200:
        await page.mouse.wheel(0, WHEEL_PX)
        where = await page.evaluate(AT_END)
        still = still + 1 if where["position"] <= seen else 0
        seen = max(seen, where["position"])
        if seen >= count:
            break
    long_tasks = sorted(await page.evaluate("bench.longTasks"))
    nodes = await page.evaluate("document.querySelectorAll('*').length")
    await page.context.close()
    return {
        "scroll_messages": seen,
        "scroll_long_tasks": len(long_tasks),
        "scroll_long_tasks_over_100_ms": sum(duration > 100 for duration in long_tasks),
        "scroll_long_task_ms_max": round(long_tasks[-1]) if long_tasks else 0,
        "scroll_elements": nodes,
    }


async def open_page(browser: Browser, url: str) -> tuple[Page, Any]:
    """A page of a context that has cached nothing, and the way to what DevTools can do."""
    context = await browser.new_context(base_url=url, viewport={"width": 1360, "height": 860})
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    return page, await context.new_cdp_session(page)


async def wait_until(page: Page, condition: str) -> None:
    # Not by wait_for_function: the page's policy forbids what it does.
    await page.evaluate(f"""async () => {{
      while (!({condition})) await new Promise((resolve) => setTimeout(resolve, 4));
    }}""")


if __name__ == "__main__":
    asyncio.run(main())

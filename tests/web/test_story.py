"""The whole story with two people at two browsers, each seeing what the other does as it happens."""

import re

from playwright.sync_api import Locator, expect

from tests.web.authors import Authors
from tests.web.conftest import Visit
from tests.web.visitor import Visitor

FIRST = "The moon pulls the near ocean more than the Earth, and the Earth more than the far ocean."
SPEC = "A gulf that swings with the moon's rhythm has tides of sixteen metres, for its shape decides."
REPLY = "So the height at a coast says more about the basin than about the moon"
QUESTION = "Which gulf has tides of sixteen metres?"


def test_two_people_write_own_and_prove_together(visit: Visit, authors: Authors) -> None:
    ada, ben = visit(), visit()
    title = "Why the tides differ from coast to coast"
    ada.join()
    ada.ask_faucet()
    thread_id = ada.begin_thread(title, FIRST)
    ben.join()
    ben.ask_faucet()
    expect(ben.balance()).to_contain_text("10,000")
    submit_with_slider(ben, thread_id)
    expect(ben.balance()).not_to_contain_text("10,000")
    decide(ada, title)
    expect(ada.balance()).to_contain_text("10,300")
    become_co_author(ben, ada, thread_id)
    cite_and_come_back(ben, ada, thread_id)
    ask_and_keep(ada)
    ada.go(f"/thread/{thread_id}")
    verify(ada, ada.message(SPEC))
    earn_and_divest(ada, ben, authors, thread_id)
    hide_and_erase(ada, visit(), thread_id)


def submit_with_slider(ben: Visitor, thread_id: str) -> None:
    """An outsider proposes a message and sets the stake by the slider."""
    page = ben.go(f"/thread/{thread_id}")
    page.get_by_role("button", name="Propose a message").click()
    page.get_by_role("textbox", name="Text of the spec").fill(SPEC)
    slider = page.get_by_role("slider", name="Stake in CHOIR")
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "300")
    expect(page.get_by_text("They get 300 CHOIR.")).to_be_visible()
    page.get_by_role("button", name="Stake and submit").click()
    spec = page.get_by_role("region", name="Open specs").get_by_role("article", name="Spec")
    expect(spec).to_contain_text(SPEC)
    expect(spec).to_contain_text("300 CHOIR")
    expect(spec.get_by_role("button", name="Withdraw")).to_be_enabled()


def decide(ada: Visitor, title: str) -> None:
    """The request comes by itself; its author's record, stake and deadline are in view; the vote is final."""
    page = ada.page
    place = page.get_by_role("navigation").first.get_by_role("link", name=re.compile("Decisions"))
    expect(place).to_contain_text("1")
    place.click()
    spec = page.get_by_role("article", name="Spec")
    expect(spec).to_contain_text(SPEC)
    expect(spec).to_contain_text("300 CHOIR")
    expect(spec).to_contain_text("0 of 1 have voted")
    expect(spec).to_contain_text(re.compile("in (6|7) days"))
    expect(page.get_by_role("main")).to_contain_text(title)
    spec.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing awaits your vote")).to_be_visible()
    expect(place).not_to_contain_text("1")


def become_co_author(ben: Visitor, ada: Visitor, thread_id: str) -> None:
    """Without a reload the outsider may write; what he writes appears at the other's."""
    expect(ben.message(SPEC)).to_contain_text("approved spec")
    expect(ben.page.get_by_text("2 co-authors")).to_be_visible()
    ada.go(f"/thread/{thread_id}")
    expect(ben.write(f"{REPLY}.")).to_be_visible()
    expect(ada.message(f"{REPLY}.")).to_be_visible()


def cite_and_come_back(ben: Visitor, ada: Visitor, thread_id: str) -> None:
    """A prior found by search, previewed on hover, followed to its source and back."""
    page = ben.page
    text = page.get_by_role("textbox", name="Message", exact=True)
    text.fill("Cited: ")
    page.get_by_role("button", name="Cite", exact=True).click()
    page.get_by_role("searchbox", name="Search for a message to cite").fill("moon pulls the near ocean")
    page.get_by_role("dialog").get_by_role("button").filter(has_text=FIRST[:40]).first.click()
    expect(text).to_have_value(re.compile(r"\[1\]"))
    ben.send(text)
    cited = ada.message("Cited:")
    mark = cited.get_by_role("link", name="Prior 1")
    mark.hover()
    preview = ada.page.get_by_role("dialog")
    expect(preview).to_contain_text(FIRST[:40])
    mark.click()
    expect(ada.page).to_have_url(re.compile(rf"/thread/{thread_id}\?.*message="))
    expect(ada.message(FIRST)).to_have_attribute("data-focused", "true")
    ada.page.get_by_role("link", name="Back to where it is cited").click()
    expect(ada.message("Cited:")).to_have_attribute("data-focused", "true")


def ask_and_keep(ada: Visitor) -> None:
    """The chorus answers in six steps; the answer becomes the first message of a new thread."""
    page = ada.go("/runs")
    page.get_by_role("textbox").first.fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    steps = page.get_by_role("tablist", name="Steps of the run").get_by_role("tab")
    expect(steps).to_have_count(6)
    for step in steps.all():
        expect(step).to_have_attribute("data-status", "done")
    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_role("link", name=re.compile("Prior"))).not_to_have_count(0)
    page.get_by_role("button", name="Keep").click()
    dialog = page.get_by_role("dialog", name="Keep this answer")
    dialog.get_by_role("combobox", name="Thread").click()
    page.get_by_role("option", name="A new public thread").click()
    dialog.get_by_role("button", name="Sign and post").click()
    expect(page).to_have_url(re.compile("/thread/"))
    ada.settle()
    expect(page.get_by_role("article").first).to_be_visible()


def verify(ada: Visitor, message: Locator) -> None:
    """The browser itself checks the proof."""
    ada.choose(message, "Verify")
    expect(ada.page.get_by_role("heading", name="It holds")).to_be_visible()
    expect(ada.page.locator("li[data-state=holds]")).to_have_count(6)


def earn_and_divest(ada: Visitor, ben: Visitor, authors: Authors, thread_id: str) -> None:
    """A denied spec leaves its stake in the thread; a co-author takes her share of it."""
    authors.new("denied").submit_spec(thread_id, "Nothing to do with tides.", stake_choir=1000)
    for voter in (ada, ben):
        page = voter.go("/approvals")
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_text("Nothing awaits your vote")).to_be_visible()
    page = ada.go(f"/account/{ada.address}")
    before = ada.balance().inner_text()
    page.get_by_role("button", name=re.compile("Take up to")).click()
    dialog = page.get_by_role("dialog", name="Take your share")
    dialog.get_by_role("textbox", name="Amount").fill("100")
    dialog.get_by_role("button", name="Sign and take it").click()
    # It is said in passing, so it is looked for first.
    expect(page.get_by_text("It is in your wallet.")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(ada.balance()).not_to_have_text(before, use_inner_text=True)


def hide_and_erase(ada: Visitor, stranger: Visitor, thread_id: str) -> None:
    """Who reads a message changes at once for everybody else, and an erased one is gone for all."""
    stranger.go(f"/thread/{thread_id}")
    expect(stranger.message(FIRST)).to_be_visible()
    page = ada.go(f"/thread/{thread_id}")
    ada.choose(ada.message(FIRST), "Change who reads it")
    dialog = page.get_by_role("dialog", name="Who reads this message")
    dialog.get_by_role("radio", name="Co-authors").check()
    dialog.get_by_role("button", name="Sign and change").click()
    expect(dialog).to_have_count(0)
    expect(stranger.message("Only the co-authors read this message")).to_be_visible()
    expect(stranger.message(FIRST)).to_have_count(0)
    ada.choose(ada.message(FIRST), "Erase")
    dialog = page.get_by_role("dialog", name="Erase this message for good?")
    dialog.get_by_role("button", name="Sign and erase").click()
    expect(ada.message("Its author has erased this message")).to_be_visible()
    expect(ada.message(FIRST)).to_have_count(0)
    stranger.page.reload()
    expect(stranger.message("Its author has erased this message")).to_be_visible()

"""Many clients of the real hub over a hostile network, in simulated time: nobody misses anything, nobody sees anything
twice, nobody is shown what is not theirs. A failing seed is repeated with ``--hypothesis-seed`` and its test's name."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from choir.client.signing import make_content
from choir.ledger.proofs import content_hash_of
from choir.ledger.transactions import AnyBody, CreateThread, Erase, PostMessage, SetPrivacy, SubscribePremium
from choir.primitives.signatures import SigningKey
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import Person
from tests.simulation.world import World
from tests.support.chain import key, sign

AUTHORS = {"ann": "public", "bob": "thread", "cat": "premium"}
READERS = ("dan", "eve", "fay")
THREADS = {name: f"{number:032x}" for number, name in enumerate(AUTHORS, start=1)}
TROUBLED_SECONDS = 15.0
HEALING_SECONDS = 400.0
MESSAGES_EACH = 40


class Writer:
    """Signs what one account does, and brings it through the account's own live connection."""

    def __init__(self, world: World, random: Random, name: str) -> None:
        self.world, self.random, self.key = world, random, key(name)
        self.nonce = 0
        self.posted: list[str] = []

    async def send(self, body: AnyBody) -> None:
        """Straight to the engine."""
        checked = sign(self.key, body, self.nonce)
        self.nonce += 1
        await (await self.world.engine.submit(checked)).receipt

    async def bring(self, person: Person, body: AnyBody, content: Any = None, until: str = "receipt") -> None:
        """Through the connection, whatever becomes of it meanwhile."""
        submission: dict[str, Any] = {"tx": sign(self.key, body, self.nonce).transaction}
        if content is not None:
            submission["content"] = {"salt": content.salt, "text": content.text}
        self.nonce += 1
        request = person.core.submit(submission)
        while True:
            for answer in person.answers:
                if answer.request_id == request and answer.frame is not None:
                    assert answer.frame.type != "error", bytes(answer.frame.payload)
                    if answer.frame.type in (until, "receipt"):
                        return
            await asyncio.sleep(0.05)

    async def post(self, person: Person, thread_id: str, until: str = "receipt") -> None:
        number = len(self.posted)
        salt = f"{self.random.getrandbits(128):032x}"
        content = make_content(
            self.key.address, thread_id, f"message {number} " + "x" * self.random.randint(0, 900), salt
        )
        content_hash = content_hash_of(content)
        self.world.texts[content_hash] = content.text
        self.posted.append(content_hash)
        await self.bring(person, PostMessage(thread_id=thread_id, content_hash=content_hash, priors=()), content, until)

    async def write(self, person: Person, thread_id: str) -> None:
        """Messages, some of which become private or are erased soon after."""
        while len(self.posted) < MESSAGES_EACH and person.loop.time() < TROUBLED_SECONDS:
            await asyncio.sleep(self.random.expovariate(3.0))
            await self.post(person, thread_id)
            chance = self.random.random()
            if chance < 0.15:
                await self.bring(person, SetPrivacy(message_hash=self.random.choice(self.posted), level="thread"))
            elif chance < 0.25:
                await self.bring(person, Erase(message_hash=self.posted.pop(self.random.randrange(len(self.posted)))))
            elif chance < 0.5:
                await self.regret(person, thread_id)

    async def regret(self, person: Person, thread_id: str) -> None:
        """A message that is hidden while it is being told."""
        await self.post(person, thread_id, until="submitted")
        hidden = self.posted.pop()
        bodies = (SetPrivacy(message_hash=hidden, level="thread"), Erase(message_hash=hidden))
        await self.bring(person, self.random.choice(bodies))


async def simulate(directory: Path, random: Random) -> dict[str, int]:
    """One run; returns what happened in it."""
    world = World(directory, [*AUTHORS, *READERS], random)
    await world.start()
    writers = {name: Writer(world, random, name) for name in (*AUTHORS, *READERS)}
    for name, level in AUTHORS.items():
        await writers[name].send(CreateThread(thread_id=THREADS[name], privacy=level))
    people = _make_people(world, random)
    lives = [asyncio.create_task(person.live()) for person in people.values()]
    deeds = [asyncio.create_task(writers[name].write(people[name], THREADS[name])) for name in AUTHORS]
    deeds.append(asyncio.create_task(_buy_premium(writers["dan"], random)))
    deeds.append(asyncio.create_task(_interfere(world, people, random)))
    everybody = list(people.values())
    try:
        await _until(lives, deeds, TROUBLED_SECONDS, lambda: all(deed.done() for deed in deeds))
        for person in everybody:
            person.recover()
        await _until(lives, deeds, HEALING_SECONDS, lambda: all(deed.done() for deed in deeds))
        deeds += [asyncio.create_task(writers[name].post(people[name], THREADS[name])) for name in AUTHORS]
        await _until(lives, deeds, HEALING_SECONDS, lambda: all(deed.done() for deed in deeds))
        await _until(lives, deeds, HEALING_SECONDS, lambda: all(person.is_up_to_date() for person in everybody))
    finally:
        for task in (*lives, *deeds):
            task.cancel()
        await asyncio.gather(*lives, *deeds, return_exceptions=True)
        await world.close()
    assert not world.violations, world.violations[0]
    for person in everybody:
        for thread_id in person.threads:
            assert list(person.views[thread_id]) == world.messages_of(thread_id)
    return {kind: sum(person.counts[kind] for person in everybody) for kind in ("updates", "syncs", "losses")}


def _make_people(world: World, random: Random) -> dict[str, Person]:
    keys: dict[str, SigningKey | None] = {name: key(name) for name in (*AUTHORS, *READERS)}
    keys |= dict.fromkeys(("guest 1", "guest 2", "guest 3"))
    return {
        name: Person(
            world,
            random,
            signer,
            list(THREADS.values()),
            eagerness=random.choice((0.02, 0.3, 1.0)),
            trouble=random.choice((0.0, 0.3, 1.0)),
        )
        for name, signer in keys.items()
    }


async def _buy_premium(writer: Writer, random: Random) -> None:
    """Some time as a premium member, then no more, and again."""
    for _ in range(3):
        await asyncio.sleep(random.uniform(0.5, 4))
        await writer.send(SubscribePremium(periods=1))
        await asyncio.sleep(random.uniform(3, 8))


async def _interfere(world: World, people: dict[str, Person], random: Random) -> None:
    """The node restarts, and somebody's session ends."""
    await asyncio.sleep(random.uniform(0, TROUBLED_SECONDS / 2))
    token = people["eve"].token
    if token is not None:
        world.sign_out(token)
    await asyncio.sleep(random.uniform(0, 5))
    await world.restart_hub()


async def _until(
    lives: list["asyncio.Task[None]"], deeds: list["asyncio.Task[None]"], seconds: float, is_reached: Callable[[], bool]
) -> None:
    """Within so many seconds; while there is trouble, that time may simply pass."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not is_reached():
        for task in (*lives, *deeds):
            if task.done():
                await task  # a violation
        if loop.time() >= end:
            assert seconds == TROUBLED_SECONDS, "they never come to an end"
            return
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("number", range(6))
def test_nothing_is_missed_doubled_or_leaked(
    number: int, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_seed(f"{request.config.option.hypothesis_seed}:{number}", tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(6, 300))
def test_nothing_is_missed_doubled_or_leaked_in_many_runs(
    number: int, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_seed(f"{request.config.option.hypothesis_seed}:{number}", tmp_path, monkeypatch)


def run_seed(seed: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    print(f"seed {seed}")  # shown when it fails
    random = Random(seed)
    loop = SimulatedLoop(random)
    monkeypatch.setattr("time.monotonic", loop.time)
    try:
        happened = loop.run_until_complete(simulate(directory, random))
    finally:
        monkeypatch.undo()
        loop.close()
    print(happened)
    assert happened["updates"] > 0

"""Cases: what the end of an epoch pays. Epochs last 60 s from genesis; blocks of the setup are a second apart."""

from choir.ledger.params import Params
from choir.ledger.transactions import Erase, SetPrivacy, SubscribePremium
from tests.ledger.support import DAY_MS, STAKE, content, create, make_genesis, post, spec, vote
from tests.ledger.vectors.case import B, Blocks, C, Case, Wait
from tests.ledger.vectors.threads import TWO

EPOCH_MS = 60_000
POOL = 2_500_000_000 * C
REWARD_CAP = 10 * C
# The last day's emission is 692,460,444,825 uchoir: 480,875,308 an epoch, of which 5 % are 24,043,765.
LAST_DAY_SHARE_OF_THREE = 8_014_588
PREMIUM = SubscribePremium(periods=1)
CHEAP_PREMIUM = make_genesis(Params(premium_price=3 * C))

SPONSORED: Blocks = [[("alice", create("T")), ("alice", PREMIUM)]]
APPROVED: Blocks = [*SPONSORED, [("bob", spec("T", "S"))], [("alice", vote("S"))]]

# Three specs in three threads, all approved by alice, whose 20 CHOIR pay for two rewards.
IN_ORDER = sorted(("bob", "carol", "dave"), key=lambda name: content(f"S-{name}"))
THREE_SPECS: Blocks = [
    [("alice", PREMIUM), *[("alice", create(f"T-{name}")) for name in IN_ORDER]],
    [(name, spec(f"T-{name}", f"S-{name}")) for name in IN_ORDER],
    [("alice", vote(f"S-{name}")) for name in IN_ORDER],
]


def _three_on_day(day: int) -> Blocks:
    """Three specs of one thread, approved ``day`` days after genesis in an epoch that begins with that day."""
    authors = ("bob", "carol", "dave")
    return [
        [("alice", SubscribePremium(periods=2)), ("alice", create("T"))],
        Wait(day * DAY_MS - 2000),
        [(author, spec("T", f"S-{author}")) for author in authors],
        [("alice", vote(f"S-{author}")) for author in authors],
    ]


NEW_MESSAGE = [
    Case("an epoch in which nothing happened", after={"new_message_pool": POOL, "prior_pool": 0}, after_ms=EPOCH_MS),
    Case(
        "at most 10 CHOIR a message, drawn from the approver's sponsorship",
        after={
            "bob": B - STAKE + REWARD_CAP,
            "alice": B - 20 * C + STAKE,
            "sponsorship alice": 20 * C - REWARD_CAP,
            "new_message_pool": POOL - REWARD_CAP,
            "prior_pool": 20 * C,
        },
        setup=APPROVED,
        after_ms=EPOCH_MS,
    ),
    Case(
        "not before the epoch's end",
        after={"bob": B - STAKE, "new_message_pool": POOL},
        setup=APPROVED,
        after_ms=EPOCH_MS - 3001,
    ),
    Case(
        "once",
        after={"bob": B - STAKE + REWARD_CAP},
        setup=[*APPROVED, Wait(EPOCH_MS), [("dave", create("U"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "long after the epoch's end: its budget, not that of the silence",
        after={"bob": B - STAKE + REWARD_CAP},
        setup=APPROVED,
        after_ms=100 * DAY_MS,
    ),
    Case(
        "nothing without sponsorship",
        after={"bob": B - STAKE, "new_message_pool": POOL},
        setup=TWO,
        after_ms=EPOCH_MS,
    ),
    Case(
        "no more than the sponsorship",
        after={"bob": B - STAKE + 3 * C, "sponsorship alice": 0},
        setup=APPROVED,
        after_ms=EPOCH_MS,
        genesis=CHEAP_PREMIUM,
    ),
    Case(
        "sponsorship is used up in the order of spec ids",
        after={
            IN_ORDER[0]: B - STAKE + REWARD_CAP,
            IN_ORDER[1]: B - STAKE + REWARD_CAP,
            IN_ORDER[2]: B - STAKE,
            "sponsorship alice": 0,
        },
        setup=THREE_SPECS,
        after_ms=EPOCH_MS,
    ),
    Case(
        "approvers are drawn from in the order of their votes",
        after={"carol": B - STAKE + REWARD_CAP, "sponsorship bob": 10 * C, "sponsorship alice": 20 * C},
        setup=[
            *TWO,
            Wait(EPOCH_MS),
            [("alice", PREMIUM), ("bob", PREMIUM), ("carol", spec("T", "S"))],
            [("bob", vote("S")), ("alice", vote("S"))],
        ],
        after_ms=EPOCH_MS,
    ),
    Case(
        "at most 5 % of the budget a thread, shared by its specs",
        after={
            "bob": B - STAKE + LAST_DAY_SHARE_OF_THREE,
            "carol": B - STAKE + LAST_DAY_SHARE_OF_THREE,
            "dave": B - STAKE + LAST_DAY_SHARE_OF_THREE,
            "new_message_pool": POOL - 3 * LAST_DAY_SHARE_OF_THREE,
        },
        setup=_three_on_day(1460),
        after_ms=EPOCH_MS,
    ),
    Case(
        "nothing after four years",
        after={"bob": B - STAKE, "new_message_pool": POOL},
        setup=_three_on_day(1461),
        after_ms=EPOCH_MS,
    ),
]

# bob's and carol's premium put 40 CHOIR into the pool: 1 % are 400,000 uchoir, of which 5 % are 20,000 a prior.
READERS: Blocks = [
    [("alice", create("T")), ("alice", post("T", "M"))],
    [("bob", create("U")), ("bob", PREMIUM), ("carol", create("V")), ("carol", PREMIUM), ("dave", create("W"))],
]
CITED: Blocks = [*READERS, [("bob", post("U", "N", "M"))]]
PRIOR_CAP = 20_000
QUALITY_PRIORS = [f"P{n}" for n in range(41)]

PRIOR = [
    Case(
        "5 % of the share, to the cited thread",
        after={
            "thread T": PRIOR_CAP,
            "prior_pool": 40 * C - PRIOR_CAP,
            "sponsorship bob": 20 * C - PRIOR_CAP,
            "sponsorship carol": 20 * C,
            "alice": B,
        },
        setup=CITED,
        after_ms=EPOCH_MS,
    ),
    Case(
        "by Q = isqrt of the citing authors",
        # 40 priors of Q 1 and one, cited by four, of Q 2: 200,000 · Q / 42.
        after={"thread T": 40 * 4_761 + 9_523, "prior_pool": 20 * C - 40 * 4_761 - 9_523},
        setup=[
            [("alice", create("T")), *[("alice", post("T", prior)) for prior in QUALITY_PRIORS]],
            [(name, create(f"U-{name}")) for name in ("bob", "carol", "dave", "erin")],
            [("bob", PREMIUM)],
            [
                ("bob", post("U-bob", "N1", *QUALITY_PRIORS[:16])),
                ("bob", post("U-bob", "N2", *QUALITY_PRIORS[16:32])),
                ("bob", post("U-bob", "N3", *QUALITY_PRIORS[32:])),
            ],
            [(name, post(f"U-{name}", f"N-{name}", "P0")) for name in ("carol", "dave", "erin")],
        ],
        after_ms=EPOCH_MS,
    ),
    Case(
        "an author who cites twice counts once",
        after={"thread T": PRIOR_CAP, "sponsorship bob": 20 * C - PRIOR_CAP},
        setup=[*CITED, [("bob", post("U", "O", "M"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "once a day",
        after={"thread T": PRIOR_CAP, "prior_pool": 40 * C - PRIOR_CAP},
        setup=[*CITED, Wait(EPOCH_MS), [("carol", post("V", "O", "M"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "again the next day, by what the pool is then",
        after={"thread T": PRIOR_CAP + 19_990, "prior_pool": 40 * C - PRIOR_CAP - 19_990},
        setup=[*CITED, Wait(EPOCH_MS), [("carol", post("V", "O", "M"))]],
        after_ms=DAY_MS,
    ),
    Case(
        "nothing without the citing author's sponsorship",
        after={"thread T": 0, "prior_pool": 40 * C},
        setup=[*READERS, [("dave", post("W", "N", "M"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "nothing for citing oneself",
        after={"thread T": 0, "sponsorship alice": 20 * C},
        setup=[*READERS, [("alice", PREMIUM), ("alice", create("X"))], [("alice", post("X", "N", "M"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "nothing for a citation in a message that is not public",
        after={"thread T": 0},
        setup=[*READERS, [("bob", post("U", "N", "M", privacy="premium"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "nothing for a prior that is not public",
        after={"thread T": 0},
        setup=[
            *READERS,
            [("alice", SetPrivacy(message_hash=content("M"), level="premium"))],
            [("bob", post("U", "N", "M"))],
        ],
        after_ms=EPOCH_MS,
    ),
    Case(
        "nothing for a prior that became private before the epoch's end",
        after={"thread T": 0},
        setup=[*CITED, [("alice", SetPrivacy(message_hash=content("M"), level="thread"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "nothing for a prior that was erased before the epoch's end",
        after={"thread T": 0},
        setup=[*CITED, [("alice", Erase(message_hash=content("M")))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "a spec's citations count when it is approved",
        after={"thread T": PRIOR_CAP, "sponsorship carol": 20 * C - PRIOR_CAP},
        setup=[*READERS, [("carol", spec("U", "S", "M"))], [("bob", vote("S"))]],
        after_ms=EPOCH_MS,
    ),
    Case(
        "a denied spec's citations do not count",
        after={"thread T": 0, "thread U": STAKE},
        setup=[*READERS, [("carol", spec("U", "S", "M"))], [("bob", vote("S", approve=False))]],
        after_ms=EPOCH_MS,
    ),
]

REWARDS = [*NEW_MESSAGE, *PRIOR]

"""Cases: submitting specs, voting, withdrawing. In the order in which preconditions are checked."""

from choir.ledger.errors import Code
from choir.ledger.params import Params
from choir.ledger.transactions import Erase, WithdrawSpec
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR
from tests.ledger.support import DAY_MS, STAKE, content, create, make_genesis, spec, vote
from tests.ledger.vectors.case import B, Blocks, C, Case, Wait, with_body
from tests.ledger.vectors.threads import T_WITH_M, TWO, T

WEEK_MS = 7 * DAY_MS
OPEN: Blocks = [*T, [("bob", spec("T", "S"))]]
OPEN_OF_TWO: Blocks = [*TWO, [("carol", spec("T", "S"))]]
WITHDRAW = WithdrawSpec(spec_id=content("S"))

SUBMIT_SPEC = [
    Case(
        "stake goes to escrow",
        "bob",
        spec("T", "S"),
        after={"bob": B - STAKE, "escrow S": STAKE, "status S": "open", "messages T": 0, "co_authors T": ("alice",)},
        setup=T,
    ),
    Case(
        "a larger stake, its own privacy and a prior",
        "bob",
        spec("T", "S", "M", stake=B, privacy="thread"),
        after={"bob": 0, "escrow S": B, "privacy S": "thread"},
        setup=T_WITH_M,
    ),
    Case("thread unknown, checked first", "alice", spec("X", "M", stake=0), Code.ThreadUnknown, {"alice": B}, T_WITH_M),
    Case("co-author, checked before the stake", "alice", spec("T", "M", stake=0), Code.AlreadyCoAuthor, {}, T_WITH_M),
    Case("stake of zero", "bob", spec("T", "M", stake=0), Code.AmountNotPositive, {}, T_WITH_M),
    Case("negative stake", "bob", spec("T", "M", stake=-STAKE), Code.AmountNotPositive, {"bob": B}, T_WITH_M),
    Case(
        "stake beyond the supply",
        "bob",
        spec("T", "M", stake=TOTAL_SUPPLY_UCHOIR + 1),
        Code.NumberOutOfRange,
        {},
        T_WITH_M,
    ),
    Case("stake with leading zero", raw=with_body("bob", spec("T", "S"), stake="0100000000"), code=Code.InvalidField),
    Case(
        "a uchoir below the minimum, checked before funds and hash",
        "bob",
        spec("T", "M", stake=STAKE - 1),
        Code.InsufficientStake,
        {"bob": 5 * C},
        T_WITH_M,
        genesis=make_genesis(balance=5 * C),
    ),
    Case(
        "over balance, checked before the hash",
        "bob",
        spec("T", "M", stake=B + 1),
        Code.InsufficientFunds,
        {"bob": B},
        T_WITH_M,
    ),
    Case("hash exists, checked before priors", "bob", spec("T", "M", "X"), Code.MessageExists, {"bob": B}, T_WITH_M),
    Case("a prior twice", "bob", spec("T", "S", "X", "X"), Code.PriorLimit, {"bob": B}, T_WITH_M),
    Case(
        "prior unknown, checked before the room for co-authors",
        "bob",
        spec("T", "S", "X"),
        Code.PriorUnknown,
        {"bob": B},
        T,
        genesis=make_genesis(Params(co_author_limit=1)),
    ),
    Case(
        "co-authors and open specs fill the thread",
        "carol",
        spec("T", "R"),
        Code.CoAuthorLimit,
        {"carol": B, "nonce carol": 1},
        OPEN,
        genesis=make_genesis(Params(co_author_limit=2)),
    ),
    Case(
        "the last room",
        "carol",
        spec("T", "R"),
        None,
        {"carol": B - STAKE},
        OPEN,
        genesis=make_genesis(Params(co_author_limit=3)),
    ),
    Case(
        "specs count as messages for the allowance",
        "bob",
        spec("T", "R"),
        Code.RateLimited,
        {"bob": B - STAKE},
        OPEN,
        genesis=make_genesis(Params(messages_per_hour=1)),
    ),
]

PROCESS_APPROVAL = [
    Case(
        "first of two votes",
        "alice",
        vote("S"),
        after={"escrow S": STAKE, "status S": "open", "co_authors T": ("alice", "bob")},
        setup=OPEN_OF_TWO,
    ),
    Case("spec unknown", "alice", vote("X"), Code.SpecUnknown, {"nonce alice": 2}, OPEN),
    Case("stranger", "carol", vote("S"), Code.NotCoAuthor, {"escrow S": STAKE}, OPEN),
    Case("author of the spec", "bob", vote("S"), Code.NotCoAuthor, {"escrow S": STAKE}, OPEN),
    Case(
        "co-author who joined after the submission",
        "bob",
        vote("S"),
        Code.NotCoAuthor,
        {"escrow S": STAKE},
        [*T, [("bob", spec("T", "J"))], [("carol", spec("T", "S"))], [("alice", vote("J"))]],
    ),
    Case(
        "voted already, checked before the deadline",
        "alice",
        vote("S", approve=False),
        Code.AlreadyVoted,
        {"status S": "expired", "prior_pool": STAKE},
        [*OPEN_OF_TWO, [("alice", vote("S"))]],
        WEEK_MS,
    ),
    Case("at the deadline", "alice", vote("S"), Code.SpecExpired, {"status S": "expired"}, OPEN, WEEK_MS),
    Case(
        "a millisecond before the deadline",
        "alice",
        vote("S"),
        None,
        {"status S": "approved", "alice": B + STAKE},
        OPEN,
        WEEK_MS - 1,
    ),
    Case(
        "after the block that expired it",
        "alice",
        vote("S"),
        Code.SpecExpired,
        {"status S": "expired"},
        [*OPEN, Wait(WEEK_MS), [("dave", create("U"))]],
    ),
    Case("approved already", "alice", vote("S"), Code.SpecClosed, {}, [*OPEN, [("alice", vote("S"))]]),
    Case("denied already", "alice", vote("S"), Code.SpecClosed, {}, [*OPEN, [("alice", vote("S", approve=False))]]),
    Case("withdrawn already", "alice", vote("S"), Code.SpecClosed, {}, [*OPEN, [("bob", WITHDRAW)]]),
    Case("vote is text", raw=with_body("alice", vote("S"), approve="true"), code=Code.InvalidField),
]

WITHDRAW_SPEC = [
    Case(
        "stake comes back",
        "bob",
        WITHDRAW,
        after={"bob": B, "status S": "withdrawn", "co_authors T": ("alice",), "thread T": 0},
        setup=OPEN,
    ),
    Case("spec unknown", "bob", WithdrawSpec(spec_id=content("X")), Code.SpecUnknown, {}, OPEN),
    Case(
        "another's spec, checked before the votes",
        "dave",
        WITHDRAW,
        Code.NotAuthor,
        {"escrow S": STAKE},
        [*OPEN_OF_TWO, [("alice", vote("S"))]],
    ),
    Case(
        "voting has begun, checked before the deadline",
        "carol",
        WITHDRAW,
        Code.VotingBegun,
        {"carol": B - STAKE},
        [*OPEN_OF_TWO, [("alice", vote("S"))]],
        WEEK_MS,
    ),
    Case("at the deadline", "bob", WITHDRAW, Code.SpecExpired, {"bob": B - STAKE, "prior_pool": STAKE}, OPEN, WEEK_MS),
    Case("twice", "bob", WITHDRAW, Code.SpecClosed, {"bob": B}, [*OPEN, [("bob", WITHDRAW)]]),
    Case(
        "its hash stays taken",
        "bob",
        spec("T", "S"),
        Code.MessageExists,
        {"bob": B},
        [*OPEN, [("bob", WITHDRAW)]],
    ),
]

# T with three co-authors, then dave's spec S. Stakes so far: bob's 100 to alice, carol's 50 to alice and to bob.
OPEN_OF_THREE: Blocks = [
    *TWO,
    [("carol", spec("T", "K"))],
    [("alice", vote("K")), ("bob", vote("K"))],
    [("dave", spec("T", "S"))],
]
A3, B3, C3, D3 = B + 150 * C, B - 50 * C, B - 100 * C, B - 100 * C
ALL = ("alice", "bob", "carol")


def _last_vote(name: str, votes: str, approve: bool, after: dict[str, object], stake: int = STAKE) -> Case:
    """Votes as letters, ``+`` or ``-``, of alice and bob; carol's settles."""
    setup: Blocks = [*OPEN_OF_THREE[:-1], [("dave", spec("T", "S", stake=stake))]]
    setup.append([(voter, vote("S", mark == "+")) for voter, mark in zip(ALL, votes, strict=False)])
    return Case(name, "carol", vote("S", approve), after=after, setup=setup)


def _window_ends(name: str, votes: str, after: dict[str, object]) -> Case:
    cast = [(voter, vote("S", mark == "+")) for voter, mark in zip(ALL, votes, strict=False) if mark != "."]
    return Case(name, after=after, setup=[*OPEN_OF_THREE, cast] if cast else OPEN_OF_THREE, after_ms=WEEK_MS)


SETTLEMENT = [
    Case(
        "the only co-author approves",
        "alice",
        vote("S"),
        after={
            "alice": B + STAKE,
            "thread T": 0,
            "status S": "approved",
            "co_authors T": ("alice", "bob"),
            "messages T": 1,
        },
        setup=OPEN,
    ),
    _last_vote(
        "all approve, the remainder goes to the thread",
        "++",
        True,
        {
            "alice": A3 + 33_333_333,
            "bob": B3 + 33_333_333,
            "carol": C3 + 33_333_333,
            "dave": D3,
            "thread T": 1,
            "co_authors T": (*ALL, "dave"),
            "messages T": 3,
            "status S": "approved",
        },
    ),
    _last_vote(
        "all approve, remainder of two",
        "++",
        True,
        {"alice": A3 + 33_333_334, "carol": C3 + 33_333_334, "thread T": 2},
        stake=100_000_004,
    ),
    _last_vote("all approve, no remainder", "++", True, {"carol": C3 + 33_333_335, "thread T": 0}, stake=100_000_005),
    Case(
        "the only co-author denies",
        "alice",
        vote("S", approve=False),
        after={"alice": B, "bob": B - STAKE, "thread T": STAKE, "status S": "denied", "co_authors T": ("alice",)},
        setup=OPEN,
    ),
    _last_vote(
        "all deny",
        "--",
        False,
        {"thread T": STAKE, "prior_pool": 0, "dave": D3, "alice": A3, "status S": "denied", "co_authors T": ALL},
    ),
    _last_vote(
        "two approve, one denies",
        "++",
        False,
        {
            "prior_pool": 66_666_666,
            "thread T": 33_333_334,
            "dave": D3,
            "sponsorship dave": 66_666_666,
            "status S": "denied",
        },
    ),
    _last_vote(
        "one approves, two deny",
        "-+",
        False,
        {"prior_pool": 33_333_333, "thread T": 66_666_667, "alice": A3, "status S": "denied", "co_authors T": ALL},
    ),
    _window_ends(
        "window ends after one denial",
        "-..",
        {"prior_pool": 0, "thread T": STAKE, "status S": "denied", "sponsorship dave": 0},
    ),
    _window_ends(
        "window ends after one denial and one approval",
        "-+.",
        {"prior_pool": 50 * C, "thread T": 50 * C, "status S": "denied"},
    ),
    _window_ends("window ends after two denials", ".--", {"prior_pool": 0, "thread T": STAKE, "status S": "denied"}),
    _window_ends(
        "window ends without a vote",
        "...",
        {"prior_pool": STAKE, "thread T": 0, "status S": "expired", "sponsorship dave": STAKE, "co_authors T": ALL},
    ),
    _window_ends(
        "window ends after approvals only",
        "++.",
        {"prior_pool": STAKE, "thread T": 0, "status S": "expired", "alice": A3, "co_authors T": ALL},
    ),
    Case(
        "a millisecond before the end of the window",
        after={"escrow S": STAKE, "status S": "open"},
        setup=OPEN_OF_THREE,
        after_ms=WEEK_MS - 1,
    ),
    Case(
        "long after the end of the window, several at once",
        after={"status S": "expired", "status R": "denied", "status Q": "open", "prior_pool": STAKE, "thread T": STAKE},
        setup=[
            *TWO,
            [("carol", spec("T", "S")), ("dave", spec("T", "R"))],
            [("bob", vote("R", approve=False))],
            Wait(WEEK_MS - 60_000),
            [("erin", spec("T", "Q"))],
        ],
        after_ms=600_000,
    ),
    Case(
        "two specs of one author: the second finds a co-author",
        "alice",
        vote("R"),
        after={"co_authors T": ("alice", "bob"), "messages T": 2, "alice": B + 2 * STAKE, "status R": "approved"},
        setup=[*T, [("bob", spec("T", "S")), ("bob", spec("T", "R"))], [("alice", vote("S"))]],
    ),
    Case(
        "an erased spec is settled as any other",
        "alice",
        vote("S"),
        after={"status S": "approved", "alice": B + STAKE, "erased S": True},
        setup=[*OPEN, [("bob", Erase(message_hash=content("S")))]],
    ),
]

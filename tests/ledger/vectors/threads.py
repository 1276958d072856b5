"""Cases: creating threads, posting, privacy, erasure. In the order in which preconditions are checked."""

from choir.ledger.errors import Code
from choir.ledger.params import Params
from choir.ledger.transactions import Erase, SetPrivacy, SubscribePremium
from tests.ledger.support import content, create, make_genesis, post, spec, vote
from tests.ledger.vectors.case import B, Blocks, C, Case, with_body

T: Blocks = [[("alice", create("T"))]]
T_WITH_M: Blocks = [*T, [("alice", post("T", "M"))]]
# bob joins T; alice gets his stake of 100 CHOIR.
TWO: Blocks = [*T, [("bob", spec("T", "J"))], [("alice", vote("J"))]]
TWO_WITH_M: Blocks = [*TWO, [("alice", post("T", "M"))]]
TEN_THREADS: Blocks = [[("alice", create(f"T{n}")) for n in range(10)]]
TWO_AN_HOUR = make_genesis(Params(messages_per_hour=2))

CREATE_THREAD = [
    Case(
        "sender becomes sole co-author",
        "alice",
        create(),
        after={"co_authors T": ("alice",), "thread T": 0, "alice": B},
    ),
    Case("encrypted thread", "bob", create(privacy="encrypted"), after={"co_authors T": ("bob",)}),
    Case("id in upper case", raw=with_body("alice", create(), thread_id="F" * 32), code=Code.InvalidField),
    Case("id of 31 digits", raw=with_body("alice", create(), thread_id="0" * 31), code=Code.InvalidField),
    Case("unknown privacy level", raw=with_body("alice", create(), privacy="secret"), code=Code.InvalidField),
    Case(
        "id is taken, which is checked before the allowance",
        "alice",
        create("T0"),
        Code.ThreadExists,
        {"nonce alice": 11},
        TEN_THREADS,
    ),
    Case("id is taken by another", "bob", create(), Code.ThreadExists, {"co_authors T": ("alice",)}, T),
    Case("eleventh in a burst", "alice", create(), Code.RateLimited, {"nonce alice": 11}, TEN_THREADS),
    Case("a millisecond before the refill", "alice", create(), Code.RateLimited, {}, TEN_THREADS, 359_999),
    Case("after the refill of one", "alice", create(), None, {"co_authors T": ("alice",)}, TEN_THREADS, 360_000),
]

POST_MESSAGE = [
    Case("approved at once", "alice", post("T", "M"), after={"status M": "approved", "messages T": 1}, setup=T),
    Case(
        "takes the thread's privacy",
        "alice",
        post("T", "M"),
        after={"privacy M": "thread"},
        setup=[[("alice", create("T", "thread"))]],
    ),
    Case(
        "its own privacy wins",
        "alice",
        post("T", "M", privacy="public"),
        after={"privacy M": "public"},
        setup=[[("alice", create("T", "thread"))]],
    ),
    Case("cites a prior", "alice", post("T", "N", "M"), after={"messages T": 2}, setup=T_WITH_M),
    Case("thread unknown, checked first", "bob", post("X", "M", "M"), Code.ThreadUnknown, {"nonce bob": 1}, T_WITH_M),
    Case("stranger, checked before the hash", "bob", post("T", "M", "M"), Code.NotCoAuthor, {}, T_WITH_M),
    Case("hash exists, checked before priors", "alice", post("T", "M", "M"), Code.MessageExists, {}, T_WITH_M),
    Case(
        "hash exists in another thread",
        "bob",
        post("U", "M"),
        Code.MessageExists,
        {},
        [*T_WITH_M, [("bob", create("U"))]],
    ),
    Case(
        "17 priors, checked before they are looked up",
        "alice",
        post("T", "N", *[f"P{n}" for n in range(17)]),
        Code.PriorLimit,
        {"messages T": 1},
        T_WITH_M,
    ),
    Case(
        "16 priors",
        "alice",
        post("T", "N", *[f"P{n}" for n in range(16)]),
        None,
        {"messages T": 17},
        [*T, [("alice", post("T", f"P{n}")) for n in range(16)]],
    ),
    Case("a prior twice", "alice", post("T", "N", "M", "M"), Code.PriorLimit, {}, T_WITH_M),
    Case("cites itself", "alice", post("T", "N", "N"), Code.PriorLimit, {}, T_WITH_M),
    Case("prior unknown", "alice", post("T", "N", "M", "X"), Code.PriorUnknown, {"messages T": 1}, T_WITH_M),
    Case("prior is an open spec", "alice", post("T", "N", "S"), Code.PriorUnknown, {}, [*T, [("bob", spec("T", "S"))]]),
    Case(
        "prior is a denied spec",
        "alice",
        post("T", "N", "S"),
        Code.PriorUnknown,
        {},
        [*T, [("bob", spec("T", "S"))], [("alice", vote("S", approve=False))]],
    ),
    Case(
        "prior is erased",
        "alice",
        post("T", "N", "M"),
        Code.PriorUnknown,
        {},
        [*T_WITH_M, [("alice", Erase(message_hash=content("M")))]],
    ),
    Case(
        "prior is private to another thread",
        "bob",
        post("U", "N", "M"),
        Code.PriorUnknown,
        {},
        [*T, [("alice", post("T", "M", privacy="thread"))], [("bob", create("U"))]],
    ),
    Case(
        "prior is premium and the sender is not",
        "bob",
        post("U", "N", "M"),
        Code.PriorUnknown,
        {},
        [*T, [("alice", post("T", "M", privacy="premium"))], [("bob", create("U"))]],
    ),
    Case(
        "prior is premium and so is the sender",
        "bob",
        post("U", "N", "M"),
        None,
        {"messages U": 1, "bob": B - 20 * C},
        [
            *T,
            [("alice", post("T", "M", privacy="premium"))],
            [("bob", create("U")), ("bob", SubscribePremium(periods=1))],
        ],
    ),
    Case(
        "the sender's premium has ended",
        "bob",
        post("U", "N", "M"),
        Code.PriorUnknown,
        {},
        [
            *T,
            [("alice", post("T", "M", privacy="premium"))],
            [("bob", create("U")), ("bob", SubscribePremium(periods=1))],
        ],
        30 * 86_400_000,
    ),
    Case(
        "prior is private to the sender's own thread",
        "alice",
        post("U", "N", "M"),
        None,
        {"messages U": 1},
        [*T, [("alice", post("T", "M", privacy="encrypted")), ("alice", create("U"))]],
    ),
    Case(
        "third of two an hour",
        "alice",
        post("T", "N"),
        Code.RateLimited,
        {"messages T": 2},
        [*T, [("alice", post("T", "L")), ("alice", post("T", "M"))]],
        genesis=TWO_AN_HOUR,
    ),
]

SET_PRIVACY = [
    Case(
        "author makes it stricter",
        "alice",
        SetPrivacy(message_hash=content("M"), level="encrypted"),
        after={"privacy M": "encrypted"},
        setup=T_WITH_M,
    ),
    Case(
        "author makes it looser",
        "alice",
        SetPrivacy(message_hash=content("M"), level="public"),
        after={"privacy M": "public"},
        setup=[*T, [("alice", post("T", "M", privacy="encrypted"))]],
    ),
    Case(
        "another co-author makes it stricter",
        "bob",
        SetPrivacy(message_hash=content("M"), level="thread"),
        after={"privacy M": "thread"},
        setup=TWO_WITH_M,
    ),
    Case(
        "message unknown",
        "bob",
        SetPrivacy(message_hash=content("X"), level="thread"),
        Code.MessageUnknown,
        {},
        T_WITH_M,
    ),
    Case(
        "message erased, checked before rights",
        "carol",
        SetPrivacy(message_hash=content("M"), level="public"),
        Code.MessageErased,
        {},
        [*T_WITH_M, [("alice", Erase(message_hash=content("M")))]],
    ),
    Case(
        "stranger, checked before the level",
        "carol",
        SetPrivacy(message_hash=content("M"), level="public"),
        Code.NotCoAuthor,
        {"privacy M": "public"},
        TWO_WITH_M,
    ),
    Case(
        "another co-author sets the same level",
        "bob",
        SetPrivacy(message_hash=content("M"), level="public"),
        Code.PrivacyNotStricter,
        {"privacy M": "public"},
        TWO_WITH_M,
    ),
    Case(
        "another co-author makes it looser",
        "bob",
        SetPrivacy(message_hash=content("M"), level="premium"),
        Code.PrivacyNotStricter,
        {"privacy M": "thread"},
        [*TWO, [("alice", post("T", "M", privacy="thread"))]],
    ),
]

ERASE = [
    Case("leaves a tombstone", "alice", Erase(message_hash=content("M")), after={"erased M": True}, setup=T_WITH_M),
    Case("message unknown", "alice", Erase(message_hash=content("X")), Code.MessageUnknown, {}, T_WITH_M),
    Case(
        "erased already, checked before the author",
        "bob",
        Erase(message_hash=content("M")),
        Code.MessageErased,
        {},
        [*T_WITH_M, [("alice", Erase(message_hash=content("M")))]],
    ),
    Case(
        "another co-author may not",
        "bob",
        Erase(message_hash=content("M")),
        Code.NotAuthor,
        {"erased M": False},
        TWO_WITH_M,
    ),
    Case(
        "hash in upper case",
        raw=with_body("alice", Erase(message_hash=content("M")), message_hash="A" * 64),
        code=Code.InvalidField,
    ),
]

"""Cases: transfers, divestment, premium and the council. In the order in which preconditions are checked."""

from choir.ledger.errors import Code
from choir.ledger.transactions import (
    AnyBody,
    CouncilAction,
    Divest,
    Endorse,
    Pause,
    Propose,
    Resume,
    SetParameter,
    SubscribePremium,
    Transfer,
    TreasuryTransfer,
    transaction_hash,
)
from choir.primitives.addresses import encode_address
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR
from tests.ledger.support import DAY_MS, STAKE, Ledger, address, make_genesis, spec, thread_id, vote
from tests.ledger.vectors.case import B, Blocks, C, Case, last_hash, with_body
from tests.ledger.vectors.threads import TWO, T

ZERO_KEY = "1" * 32  # base58 of 32 zero bytes: a point of order 4
NEUTRAL_KEY = encode_address(b"\x01" + bytes(31))
TREASURY_AT_GENESIS = 7_500_000_000 * C - 6 * B
THREAD_OF_100: Blocks = [*T, [("bob", spec("T", "S"))], [("alice", vote("S", approve=False))]]


def pay(to: str, amount: int) -> Transfer:
    return Transfer(to=to, amount=str(amount))


def divest(amount: int, label: str = "T") -> Divest:
    return Divest(thread_id=thread_id(label), amount=str(amount))


TRANSFER = [
    Case("moves the amount", "alice", pay(address("bob"), 5 * C), after={"alice": B - 5 * C, "bob": B + 5 * C}),
    Case("all of it", "alice", pay(address("bob"), B), after={"alice": 0, "bob": 2 * B}),
    Case("to oneself", "alice", pay(address("alice"), B), after={"alice": B}),
    Case("to an account that was never seen", "alice", pay(address("nobody"), 1), after={"alice": B - 1, "nobody": 1}),
    Case("receiver is no base58, checked first", "alice", pay("0" * 40, 0), Code.InvalidAddress, {"alice": B}),
    Case("receiver is 33 bytes", "alice", pay("1" * 33, 1), Code.InvalidAddress, {}),
    Case("receiver is the neutral point", "alice", pay(NEUTRAL_KEY, 1), Code.SmallOrderKey, {}),
    Case("receiver is a small-order key", "alice", pay(ZERO_KEY, 0), Code.SmallOrderKey, {"alice": B}),
    Case("receiver has trailing white space", "alice", pay(address("bob")[:43] + " ", 1), Code.InvalidAddress, {}),
    Case("amount of zero", "alice", pay(address("bob"), 0), Code.AmountNotPositive, {"alice": B, "bob": B}),
    Case("negative amount", "alice", pay(address("bob"), -1), Code.AmountNotPositive, {"alice": B, "bob": B}),
    Case("beyond the supply", "alice", pay(address("bob"), TOTAL_SUPPLY_UCHOIR + 1), Code.NumberOutOfRange, {}),
    Case("a uchoir over balance", "alice", pay(address("bob"), B + 1), Code.InsufficientFunds, {"alice": B, "bob": B}),
    Case(
        "from an account that was never seen",
        "nobody",
        pay(address("bob"), 1),
        Code.InsufficientFunds,
        {"nonce nobody": 1},
    ),
    Case("amount as a number", raw=with_body("alice", pay(address("bob"), 1), amount=1), code=Code.InvalidField),
]

DIVEST = [
    Case(
        "the whole share", "alice", divest(90 * C), after={"alice": B + 90 * C, "thread T": 10 * C}, setup=THREAD_OF_100
    ),
    Case(
        "the share of one of two, rounded down",
        "bob",
        divest(45 * C),
        after={"bob": B - 55 * C, "thread T": 55 * C + 1},
        setup=[
            *TWO,
            [("carol", spec("T", "S", stake=STAKE + 1))],
            [(n, vote("S", approve=False)) for n in ("alice", "bob")],
        ],
    ),
    Case(
        "a uchoir more than the rounded share",
        "bob",
        divest(45 * C + 1),
        Code.BelowMinimumBalance,
        {"thread T": STAKE + 1},
        [*TWO, [("carol", spec("T", "S", stake=STAKE + 1))], [(n, vote("S", approve=False)) for n in ("alice", "bob")]],
    ),
    Case("thread unknown, checked first", "alice", divest(0, "X"), Code.ThreadUnknown, {}, THREAD_OF_100),
    Case("stranger, checked before the amount", "bob", divest(0), Code.NotCoAuthor, {"thread T": STAKE}, THREAD_OF_100),
    Case(
        "amount of zero, checked before the cooldown",
        "alice",
        divest(0),
        Code.AmountNotPositive,
        {},
        [*THREAD_OF_100, [("alice", divest(1))]],
    ),
    Case("negative amount", "alice", divest(-1), Code.AmountNotPositive, {"thread T": STAKE}, THREAD_OF_100),
    Case("beyond the supply", "alice", divest(TOTAL_SUPPLY_UCHOIR + 1), Code.NumberOutOfRange, {}, THREAD_OF_100),
    Case(
        "within the cooldown, checked before the share",
        "alice",
        divest(STAKE),
        Code.CooldownActive,
        {"thread T": STAKE - 1},
        [*THREAD_OF_100, [("alice", divest(1))]],
        7 * DAY_MS - 1,
    ),
    Case(
        "when the cooldown is over",
        "alice",
        divest(1),
        None,
        {"alice": B + 2, "thread T": STAKE - 2},
        [*THREAD_OF_100, [("alice", divest(1))]],
        7 * DAY_MS,
    ),
    Case("more than the share", "alice", divest(90 * C + 1), Code.BelowMinimumBalance, {"alice": B}, THREAD_OF_100),
    Case("from a thread below its minimum", "alice", divest(1), Code.BelowMinimumBalance, {"thread T": 0}, T),
]

SUBSCRIBE_PREMIUM = [
    Case(
        "pays into the prior pool",
        "alice",
        SubscribePremium(periods=1),
        after={
            "alice": B - 20 * C,
            "prior_pool": 20 * C,
            "sponsorship alice": 20 * C,
            "premium_until alice": 30 * DAY_MS + 1000,
            "treasury": TREASURY_AT_GENESIS,
        },
    ),
    Case(
        "extends what runs",
        "alice",
        SubscribePremium(periods=2),
        after={"alice": B - 60 * C, "premium_until alice": 90 * DAY_MS + 1000},
        setup=[[("alice", SubscribePremium(periods=1))]],
        after_ms=DAY_MS,
    ),
    Case(
        "begins anew after it has ended",
        "alice",
        SubscribePremium(periods=1),
        after={"premium_until alice": 70 * DAY_MS + 1000},
        setup=[[("alice", SubscribePremium(periods=1))]],
        after_ms=40 * DAY_MS,
    ),
    Case("no period", raw=with_body("alice", SubscribePremium(periods=1), periods=0), code=Code.NumberOutOfRange),
    Case("121 periods", raw=with_body("alice", SubscribePremium(periods=1), periods=121), code=Code.NumberOutOfRange),
    Case(
        "over balance",
        "alice",
        SubscribePremium(periods=1),
        Code.InsufficientFunds,
        {"alice": 20 * C - 1, "prior_pool": 0},
        genesis=make_genesis(balance=20 * C - 1),
    ),
]


def propose(action: CouncilAction) -> Propose:
    return Propose(action=action)


def endorse(ledger: Ledger) -> AnyBody:
    """Of the proposal that is the setup's last transaction."""
    return Endorse(proposal_id=last_hash(ledger))


def decided(action: CouncilAction) -> Blocks:
    return [[("council_a", propose(action))], [("council_b", endorse)]]


GIVE = TreasuryTransfer(to=address("bob"), amount=str(7 * C))
TOO_MUCH = TreasuryTransfer(to=address("bob"), amount=str(TREASURY_AT_GENESIS + 1))
PROPOSED: Blocks = [[("council_a", propose(GIVE))]]

PROPOSE = [
    Case("waits for the second member", "council_a", propose(GIVE), after={"bob": B, "treasury": TREASURY_AT_GENESIS}),
    Case(
        "no member, checked before the action",
        "alice",
        propose(SetParameter(name="nonsense", value=0)),
        Code.NotCouncilMember,
        {"nonce alice": 1},
    ),
    Case("transfer of zero", "council_a", propose(TreasuryTransfer(to="0" * 40, amount="0")), Code.AmountNotPositive),
    Case(
        "transfer beyond the supply",
        "council_a",
        propose(TreasuryTransfer(to="0" * 40, amount=str(TOTAL_SUPPLY_UCHOIR + 1))),
        Code.NumberOutOfRange,
    ),
    Case(
        "transfer to no address", "council_a", propose(TreasuryTransfer(to="0" * 40, amount="1")), Code.InvalidAddress
    ),
    Case(
        "transfer to a small-order key",
        "council_a",
        propose(TreasuryTransfer(to=ZERO_KEY, amount="1")),
        Code.SmallOrderKey,
    ),
    Case("unknown parameter", "council_a", propose(SetParameter(name="Minimum_stake", value=0)), Code.ParameterUnknown),
    Case(
        "parameter below its bounds",
        "council_a",
        propose(SetParameter(name="minimum_stake", value=0)),
        Code.NumberOutOfRange,
    ),
    Case(
        "parameter above its bounds",
        "council_a",
        propose(SetParameter(name="prior_limit", value=17)),
        Code.NumberOutOfRange,
    ),
    Case("while paused", "council_a", propose(Resume()), None, {"paused": True}, decided(Pause())),
    Case(
        "unknown action", raw=with_body("council_a", propose(Pause()), action={"type": "mint"}), code=Code.InvalidField
    ),
]

ENDORSE = [
    Case(
        "second of two runs a transfer",
        "council_b",
        endorse,
        after={"bob": B + 7 * C, "treasury": TREASURY_AT_GENESIS - 7 * C},
        setup=PROPOSED,
    ),
    Case(
        "runs a change of a parameter",
        "council_c",
        endorse,
        after={"parameter minimum_stake": 1},
        setup=[[("council_b", propose(SetParameter(name="minimum_stake", value=1)))]],
    ),
    Case("pauses", "council_b", endorse, after={"paused": True}, setup=[[("council_a", propose(Pause()))]]),
    Case(
        "resumes",
        "council_c",
        endorse,
        after={"paused": False},
        setup=[*decided(Pause()), [("council_a", propose(Resume()))]],
    ),
    Case("no member, checked first", "alice", Endorse(proposal_id="0" * 64), Code.NotCouncilMember, {}, PROPOSED),
    Case("proposal unknown", "council_b", Endorse(proposal_id="0" * 64), Code.ProposalUnknown, {"bob": B}, PROPOSED),
    Case("the proposer again", "council_a", endorse, Code.AlreadyEndorsed, {"bob": B}, PROPOSED),
    Case(
        "the proposal has run already",
        "council_c",
        lambda ledger: Endorse(proposal_id=_hash_of_block(ledger, 0)),
        Code.ProposalUnknown,
        {"bob": B + 7 * C},
        decided(GIVE),
    ),
    Case(
        "the treasury has less: the endorsement is not counted",
        "council_b",
        endorse,
        Code.InsufficientFunds,
        {"bob": B, "treasury": TREASURY_AT_GENESIS},
        [[("council_a", propose(TOO_MUCH))]],
    ),
]


def _hash_of_block(ledger: Ledger, index: int) -> str:
    return transaction_hash(ledger.blocks[index].raws[0])


PAUSED: Blocks = [*T, *decided(Pause())]

"""Every way a request can be refused: one append-only table, and the exception that carries a row of it.

Numbers never change meaning and are never reused: 1xx the transaction is malformed or not authentic, 2xx a rule of the
ledger refuses it, 3xx the API or its content refuses it, 9xx our own fault.
"""

from enum import Enum
from typing import NoReturn


class Code(Enum):
    """(number, sentence, HTTP status). The member's name is the error's name on the wire."""

    MalformedJson = (100, "The body is not valid JSON.", 400)
    UnknownField = (101, "The transaction has a field that its type does not know.", 400)
    FloatNotAllowed = (102, "Numbers must be integers; floating-point numbers are never accepted.", 400)
    NumberOutOfRange = (103, "A number is beyond its range.", 400)
    InvalidUnicode = (104, "The text is not valid Unicode.", 400)
    InvalidField = (105, "A field is missing, has the wrong type or the wrong form.", 400)
    NotCanonical = (106, "The transaction is not in its RFC 8785 canonical form.", 400)
    AmountNotPositive = (107, "The amount must be greater than zero.", 400)
    WrongChain = (110, "The transaction is for another chain.", 400)
    BadSignature = (111, "The signature does not belong to this transaction and sender.", 401)
    SmallOrderKey = (112, "The address is a small-order key, which nobody can own.", 400)
    InvalidAddress = (113, "The address is not the base58 form of a 32-byte key.", 400)
    TransactionExpired = (114, "The transaction's expires_at has passed.", 409)
    NonceMismatch = (115, "The nonce is not the account's next number.", 409)
    DependencyUnknown = (
        116,
        "The transaction named by depends_on was not committed within the last hour.",
        409,
    )

    ThreadExists = (200, "A thread with this id exists already.", 409)
    ThreadUnknown = (201, "There is no thread with this id.", 404)
    MessageExists = (202, "A message with this content hash exists already.", 409)
    MessageUnknown = (203, "There is no message with this content hash.", 404)
    SpecUnknown = (204, "There is no open spec with this id.", 404)
    SpecExpired = (205, "The time to decide on this spec is over.", 409)
    PriorUnknown = (206, "A prior is not a message that the sender may cite.", 404)
    PriorLimit = (207, "A message may cite at most 16 priors, each once and never itself.", 400)
    NotCoAuthor = (208, "Only a co-author of the thread may do this.", 403)
    AlreadyCoAuthor = (209, "A co-author posts directly instead of submitting a spec.", 409)
    AlreadyVoted = (210, "This co-author has voted on the spec already.", 409)
    VotingBegun = (211, "A spec can be withdrawn only before the first vote.", 409)
    NotAuthor = (212, "Only the author may do this.", 403)
    InsufficientStake = (213, "The stake is below the minimum.", 409)
    InsufficientFunds = (214, "The balance is too small for this.", 409)
    BelowMinimumBalance = (215, "The amount is more than the sender's share of the thread.", 409)
    CooldownActive = (216, "The sender divested from this thread too recently.", 409)
    CoAuthorLimit = (217, "The thread has no room for another co-author or open spec.", 409)
    RateLimited = (218, "The account has used up its allowance; it refills with time.", 429)
    PrivacyNotStricter = (219, "A co-author who is not the author may only make a message more private.", 403)
    MessageErased = (220, "The message has been erased.", 409)
    NotCouncilMember = (221, "Only a member of the council may do this.", 403)
    ProposalUnknown = (222, "There is no open proposal with this id.", 404)
    AlreadyEndorsed = (223, "This member has endorsed the proposal already.", 409)
    ParameterUnknown = (224, "There is no parameter with this name.", 400)
    SpecClosed = (226, "The spec has been decided or withdrawn already.", 409)
    Paused = (225, "The council has paused the ledger; only propose and endorse are accepted.", 503)

    ContentMissing = (300, "The transaction adds a message, so its content must come with it.", 400)
    ContentMismatch = (301, "The content does not hash to the transaction's content_hash.", 400)
    ContentUnexpected = (302, "The transaction adds no message, so no content may come with it.", 400)
    TextTooLong = (303, "The text is longer than 64 KiB.", 400)
    TextEmpty = (304, "The text has no visible character.", 400)
    TextInvalid = (305, "The text is not NFC or has control characters.", 400)
    BodyTooLarge = (306, "The request is larger than 1 MiB.", 413)
    WrongType = (307, "This route takes another type of transaction.", 400)
    NotFound = (308, "There is nothing here that you may see.", 404)
    MethodNotAllowed = (309, "This route does not take this method.", 405)
    InvalidRequest = (310, "The request is not of the documented form.", 400)
    NotSignedIn = (311, "Sign in first: the request needs a valid session token.", 401)
    NotPermitted = (312, "You do not have the right to do this.", 403)
    TooManyRequests = (313, "Too many requests; try again later.", 429)
    FaucetRefused = (314, "The faucet has nothing to give to this address.", 409)
    NotReady = (315, "The node is not ready; try again in a moment.", 503)
    SignInFailed = (316, "The sign-in was refused.", 401)
    QueryInvalid = (317, "The search cannot be understood.", 400)
    AlreadySignedIn = (318, "This connection is signed in as another account.", 409)
    TooManySubscriptions = (319, "A connection cannot follow so many threads.", 429)
    TargetTooLong = (320, "The address of the request is longer than 128 KiB.", 414)

    InternalError = (
        900,
        "The node failed; nothing was changed. The request id finds the cause in its log.",
        500,
    )

    def __init__(self, number: int, sentence: str, http_status: int) -> None:
        self.number = number
        self.sentence = sentence
        self.http_status = http_status


OK_CODE = 0
BY_NUMBER: dict[int, Code] = {code.number: code for code in Code}


class Rejected(Exception):
    """An expected refusal: nothing changes. ``detail`` says what was found, ``field`` where."""

    def __init__(
        self, code: Code, detail: str = "", *, field: str | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(f"{code.name}: {code.sentence} {detail}".rstrip())
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after_ms = retry_after_ms


class BrokenInvariant(RuntimeError):
    """Our bug: the ledger must halt rather than go on from a state that breaks its own rules."""


def reject(code: Code, detail: str = "", *, field: str | None = None, retry_after_ms: int | None = None) -> NoReturn:
    """Raise ``Rejected``: a word for the rule at the place where it is checked."""
    raise Rejected(code, detail, field=field, retry_after_ms=retry_after_ms)

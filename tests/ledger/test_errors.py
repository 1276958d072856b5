"""The error table is append-only: numbers and names that were published keep their meaning."""

from choir.ledger.errors import BY_NUMBER, OK_CODE, Code

PUBLISHED = """
100 MalformedJson
101 UnknownField
102 FloatNotAllowed
103 NumberOutOfRange
104 InvalidUnicode
105 InvalidField
106 NotCanonical
107 AmountNotPositive
110 WrongChain
111 BadSignature
112 SmallOrderKey
113 InvalidAddress
114 TransactionExpired
115 NonceMismatch
116 DependencyUnknown
200 ThreadExists
201 ThreadUnknown
202 MessageExists
203 MessageUnknown
204 SpecUnknown
205 SpecExpired
206 PriorUnknown
207 PriorLimit
208 NotCoAuthor
209 AlreadyCoAuthor
210 AlreadyVoted
211 VotingBegun
212 NotAuthor
213 InsufficientStake
214 InsufficientFunds
215 BelowMinimumBalance
216 CooldownActive
217 CoAuthorLimit
218 RateLimited
219 PrivacyNotStricter
220 MessageErased
221 NotCouncilMember
222 ProposalUnknown
223 AlreadyEndorsed
224 ParameterUnknown
225 Paused
226 SpecClosed
"""


def test_published_numbers_keep_their_names() -> None:
    for line in PUBLISHED.split("\n")[1:-1]:
        number, name = line.split()
        assert BY_NUMBER[int(number)].name == name


def test_every_row_of_the_ledger_is_published() -> None:
    assert {str(code.number) for code in Code if code.number < 300} == set(PUBLISHED.split()[::2])


def test_rows_are_distinct_and_complete() -> None:
    assert len({code.number for code in Code}) == len(Code) == len(BY_NUMBER)
    assert len({code.sentence for code in Code}) == len(Code)
    for code in Code:
        assert code.number != OK_CODE
        assert code.sentence.endswith(".")
        assert 400 <= code.http_status <= 503

"""Sign-in with real keys and a real database, as an honest wallet and as an attacker."""

import base64
import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.api import sessions as module
from choir.api.sessions import CHALLENGE_MS, SESSION_MS, Challenge, Sessions, SignInError, format_challenge
from choir.primitives.addresses import encode_address
from choir.primitives.signatures import SigningKey
from tests.support.patience import PATIENCE_SECONDS

ANN, BEN = SigningKey(b"a" * 32), SigningKey(b"b" * 32)
START_MS = 1_795_263_600_007


class Clock:
    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms


def _open(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = _open(tmp_path / "api.db")
    yield connection
    connection.close()


@pytest.fixture
def sessions(database: sqlite3.Connection, clock: Clock) -> Sessions:
    return Sessions(database, clock, "choir.example:8420", "choir-dev")


def _sign(key: SigningKey, challenge: Challenge) -> str:
    return key.sign(challenge.message.encode("utf-8"))


def _refused(sessions: Sessions, address: str, nonce: str, signature: str) -> str:
    with pytest.raises(SignInError) as caught:
        sessions.verify(address, nonce, signature)
    return caught.value.reason


def test_the_exact_text() -> None:
    assert format_challenge("choir.example", "choir-dev", ANN.address, "5f" * 16, START_MS) == (
        "choir.example wants you to sign in with your Solana account:\n"
        f"{ANN.address}\n"
        "\n"
        "Sign in to Choir. This proves that the key is yours; it moves no tokens and costs nothing.\n"
        "\n"
        "Version: 1\n"
        "Chain ID: choir-dev\n"
        "Nonce: 5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f\n"
        "Issued At: 2026-11-21T12:20:00.007Z\n"
        "Expiration Time: 2026-11-21T12:25:00.007Z"
    )


def test_signing_in_and_out(sessions: Sessions) -> None:
    challenge = sessions.challenge(ANN.address)
    session = sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge))
    assert session.address == ANN.address
    assert session.expires_at_ms == START_MS + SESSION_MS
    assert sessions.get_address(session.token) == ANN.address
    assert sessions.revoke(session.token) is True
    assert sessions.get_address(session.token) is None
    assert sessions.revoke(session.token) is False


def test_a_challenge_is_used_once(sessions: Sessions) -> None:
    challenge = sessions.challenge(ANN.address)
    signature = _sign(ANN, challenge)
    sessions.verify(ANN.address, challenge.nonce, signature)
    assert _refused(sessions, ANN.address, challenge.nonce, signature) == "unknown_challenge"


def test_a_wrong_signature_uses_the_challenge_up(sessions: Sessions) -> None:
    challenge = sessions.challenge(ANN.address)
    assert _refused(sessions, ANN.address, challenge.nonce, _sign(BEN, challenge)) == "bad_signature"
    assert _refused(sessions, ANN.address, challenge.nonce, _sign(ANN, challenge)) == "unknown_challenge"


def test_a_challenge_is_for_its_address_only_and_survives_anothers_attempt(sessions: Sessions) -> None:
    challenge = sessions.challenge(ANN.address)
    assert _refused(sessions, BEN.address, challenge.nonce, _sign(BEN, challenge)) == "unknown_challenge"
    assert sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge)).address == ANN.address


@pytest.mark.parametrize("change", ["domain", "chain", "nonce", "time", "space", "transaction"])
def test_a_signature_over_any_other_text_is_refused(sessions: Sessions, change: str) -> None:
    challenge = sessions.challenge(ANN.address)
    text = challenge.message
    others = {
        "domain": text.replace("choir.example", "evil.example"),
        "chain": text.replace("choir-dev", "choir-main"),
        "nonce": text.replace(challenge.nonce, "0" * 32),
        "time": text.replace("12:20:00", "12:20:01"),
        "space": text + "\n",
        "transaction": "choir-tx-v1:" + text,
    }
    assert others[change] != text
    signature = ANN.sign(others[change].encode("utf-8"))
    assert _refused(sessions, ANN.address, challenge.nonce, signature) == "bad_signature"


@pytest.mark.parametrize("nonce", ["", "5f" * 16, "5F" * 16, "\ud83d", "\x00", "x" * 10_000])
def test_a_made_up_nonce_is_unknown(sessions: Sessions, nonce: str) -> None:
    assert _refused(sessions, ANN.address, nonce, "1" * 64) == "unknown_challenge"


@pytest.mark.parametrize("signature", ["", "1" * 64, "0OIl", "x" * 10_000, "é"])
def test_a_malformed_signature_is_refused(sessions: Sessions, signature: str) -> None:
    challenge = sessions.challenge(ANN.address)
    assert _refused(sessions, ANN.address, challenge.nonce, signature) == "bad_signature"


@pytest.mark.parametrize(("age_ms", "works"), [(CHALLENGE_MS - 1, True), (CHALLENGE_MS, False)])
def test_a_challenge_lives_five_minutes(sessions: Sessions, clock: Clock, age_ms: int, works: bool) -> None:
    challenge = sessions.challenge(ANN.address)
    assert challenge.expires_at_ms == START_MS + 300_000
    clock.now_ms += age_ms
    if works:
        sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge))
    else:
        assert _refused(sessions, ANN.address, challenge.nonce, _sign(ANN, challenge)) == "expired_challenge"


@pytest.mark.parametrize("address", ["", "x", "0" * 44, "1" * 32, ANN.address + "1", encode_address(b"\x00" * 32)])
def test_a_malformed_address_is_refused(sessions: Sessions, address: str) -> None:
    with pytest.raises(SignInError) as caught:
        sessions.challenge(address)
    assert caught.value.reason == "bad_address"
    assert _refused(sessions, address, "5f" * 16, "1") == "bad_address"


@pytest.mark.parametrize(("age_ms", "works"), [(SESSION_MS - 1, True), (SESSION_MS, False)])
def test_a_session_ends_after_its_time(sessions: Sessions, clock: Clock, age_ms: int, works: bool) -> None:
    challenge = sessions.challenge(ANN.address)
    token = sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge)).token
    clock.now_ms += age_ms
    assert (sessions.get_address(token) == ANN.address) is works


def test_the_time_of_a_session_is_a_setting(database: sqlite3.Connection, clock: Clock) -> None:
    sessions = Sessions(database, clock, "localhost", "choir-dev", session_ms=1000)
    challenge = sessions.challenge(ANN.address)
    token = sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge)).token
    clock.now_ms += 1000
    assert sessions.get_address(token) is None


def test_revoking_all_spares_others(sessions: Sessions) -> None:
    tokens = {}
    for key in (ANN, ANN, BEN):
        challenge = sessions.challenge(key.address)
        tokens[sessions.verify(key.address, challenge.nonce, _sign(key, challenge)).token] = key
    assert sessions.revoke_all(ANN.address) == 2
    assert [sessions.get_address(token) for token in tokens] == [None, None, BEN.address]


def test_only_the_hash_of_a_token_is_kept_and_none_is_printed(sessions: Sessions, tmp_path: Path) -> None:
    challenge = sessions.challenge(ANN.address)
    session = sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge))
    raw = base64.urlsafe_b64decode(session.token + "=")
    assert len(raw) == 32
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert session.token.encode() not in stored
    assert raw not in stored
    assert hashlib.sha256(session.token.encode()).digest() in stored
    assert session.token not in repr(session)


@given(st.text(max_size=60))
def test_a_made_up_token_speaks_for_nobody(token: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    sessions = Sessions(connection, Clock(), "localhost", "choir-dev")
    assert sessions.get_address(token) is None
    assert sessions.revoke(token) is False
    connection.close()


def test_a_new_challenge_replaces_the_oldest_of_its_address(sessions: Sessions) -> None:
    others = sessions.challenge(BEN.address)
    first = sessions.challenge(ANN.address)
    later = [sessions.challenge(ANN.address) for _ in range(module.CHALLENGES_PER_ADDRESS)]
    assert _refused(sessions, ANN.address, first.nonce, _sign(ANN, first)) == "unknown_challenge"
    for challenge in later:
        sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge))
    sessions.verify(BEN.address, others.nonce, _sign(BEN, others))


def test_all_challenges_together_are_bounded(sessions: Sessions, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTSTANDING_CHALLENGES", 3)
    for number in range(3):
        sessions.challenge(SigningKey(bytes([number]) * 32).address)
        clock.now_ms += 1000
    with pytest.raises(SignInError) as caught:
        sessions.challenge(ANN.address)
    assert (caught.value.reason, caught.value.retry_after_ms) == ("too_many", CHALLENGE_MS - 3000)
    clock.now_ms += CHALLENGE_MS - 3000
    sessions.challenge(ANN.address)


def test_used_and_old_rows_do_not_pile_up(sessions: Sessions, database: sqlite3.Connection, clock: Clock) -> None:
    for _ in range(module.SESSIONS_PER_ADDRESS + 5):
        challenge = sessions.challenge(ANN.address)
        sessions.verify(ANN.address, challenge.nonce, _sign(ANN, challenge))
    counts = "SELECT (SELECT count(*) FROM sign_in_challenges), (SELECT count(*) FROM sessions)"
    assert database.execute(counts).fetchone() == (0, module.SESSIONS_PER_ADDRESS)
    clock.now_ms += SESSION_MS
    challenge = sessions.challenge(BEN.address)
    sessions.verify(BEN.address, challenge.nonce, _sign(BEN, challenge))
    assert database.execute(counts).fetchone() == (0, 1)


def test_workers_share_challenges_and_sessions(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    connection = _open(tmp_path / "api.db")
    other = Sessions(connection, clock, "choir.example:8420", "choir-dev")
    challenge = sessions.challenge(ANN.address)
    token = other.verify(ANN.address, challenge.nonce, _sign(ANN, challenge)).token
    assert sessions.get_address(token) == ANN.address
    assert sessions.revoke(token)
    assert other.get_address(token) is None
    connection.close()


def test_of_many_workers_at_once_one_wins(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    challenge = sessions.challenge(ANN.address)
    signature = _sign(ANN, challenge)
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def race() -> None:
        connection = _open(tmp_path / "api.db")
        worker = Sessions(connection, clock, "choir.example:8420", "choir-dev")
        start.wait(PATIENCE_SECONDS)
        try:
            outcomes.append(worker.verify(ANN.address, challenge.nonce, signature).address)
        except SignInError as error:
            outcomes.append(error.reason)
        connection.close()

    workers = [threading.Thread(target=race) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    assert sorted(outcomes) == sorted([ANN.address, *["unknown_challenge"] * 3])


@pytest.mark.parametrize("domain", ["", "a b", "evil.example\nx", "https://choir.example", "a:b", "é.example"])
def test_a_domain_that_could_forge_lines_is_refused(database: sqlite3.Connection, clock: Clock, domain: str) -> None:
    with pytest.raises(ValueError, match="host name"):
        Sessions(database, clock, domain, "choir-dev")


@pytest.mark.parametrize("domain", ["localhost", "127.0.0.1:8420", "[::1]:8420", "choir.example"])
def test_domains(database: sqlite3.Connection, clock: Clock, domain: str) -> None:
    challenge = Sessions(database, clock, domain, "choir-dev").challenge(ANN.address)
    assert challenge.message.startswith(domain + " wants")


def test_other_settings_are_checked(database: sqlite3.Connection, clock: Clock) -> None:
    with pytest.raises(ValueError, match="chain id"):
        Sessions(database, clock, "localhost", "a\nb")
    with pytest.raises(ValueError, match="session_ms"):
        Sessions(database, clock, "localhost", "choir-dev", session_ms=0)
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ValueError, match="autocommit"):
        Sessions(connection, clock, "localhost", "choir-dev")
    connection.close()

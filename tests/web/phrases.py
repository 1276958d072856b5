"""Recovery phrases outside the browser, so that a test's author can also sit down at one. Written from BIP-39 and
SLIP-0010 and not from the app's code: the two must agree."""

import hashlib
import hmac
from pathlib import Path

from choir.primitives.signatures import SigningKey

_WORDS = Path(__file__).parents[2] / "web/node_modules/@scure/bip39/wordlists/english.js"
_PATH = (44, 501, 0, 0)
_HARDENED = 0x80000000


def phrase_of(name: str) -> str:
    """24 words that belong to a name."""
    entropy = hashlib.sha256(f"choir-test-phrase:{name}".encode()).digest()
    bits = int.from_bytes(entropy + hashlib.sha256(entropy).digest()[:1])
    words = _wordlist()
    return " ".join(words[bits >> shift & 0x7FF] for shift in range(253, -1, -11))


def key_of_phrase(phrase: str) -> SigningKey:
    """The key along m/44'/501'/0'/0', as Solana's wallets make it."""
    seed = hashlib.pbkdf2_hmac("sha512", phrase.encode(), b"mnemonic", 2048)
    node = _hmac(b"ed25519 seed", seed)
    for index in _PATH:
        node = _hmac(node[32:], b"\0" + node[:32] + (index + _HARDENED).to_bytes(4))
    return SigningKey(node[:32])


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha512")


def _wordlist() -> list[str]:
    text = _WORDS.read_text()
    return text[text.index("`") + 1 : text.rindex("`")].split()

"""24 words from which a key can be made again: BIP-39, and SLIP-0010 along the path that Solana wallets use."""

import hmac
import re
from typing import Final

from choir.cli.errors import UsageError

WORDS: Final = 24
_PATH: Final = (44, 501, 0, 0)  # m/44'/501'/0'/0'
_HARDENED: Final = 0x80000000
# People number the words, and put them in any case on any number of lines.
_NUMBERING: Final = re.compile(r"[\d.,;:)]+")


def seed_of_phrase(text: str) -> bytes:
    """The 32-byte Ed25519 seed of 24 English words. Raises ``UsageError`` that says what is wrong with them."""
    from mnemonic import Mnemonic

    english = Mnemonic("english")
    words = _NUMBERING.sub(" ", text.lower()).split()
    unknown = next((word for word in words if word not in english.wordlist), None)
    if unknown is not None:
        raise UsageError(f"{unknown!r} is not a word of the list that recovery phrases are made of")
    if len(words) != WORDS:
        raise UsageError(f"a recovery phrase has {WORDS} words; these are {len(words)}")
    phrase = " ".join(words)
    if not english.check(phrase):
        raise UsageError("the words do not fit together: one is wrong or out of place")
    node = _hmac_sha512(b"ed25519 seed", english.to_seed(phrase))
    for index in _PATH:
        node = _hmac_sha512(node[32:], b"\0" + node[:32] + (index + _HARDENED).to_bytes(4))
    return node[:32]


def _hmac_sha512(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha512")

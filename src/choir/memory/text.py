"""What a message's text may be, and the hash that names it.

Rule: design/ledger.md ("Wire form") hashes NFC text, and interfaces.md bounds it to 64 KiB. A node never
changes an author's words, because their hash is already signed: text that breaks a rule is refused with the
reason. A client calls ``normalise_text`` before it signs; a node calls ``check_text``.
"""

import re
import secrets
import unicodedata
from typing import Final

import msgspec

from choir.primitives.canonical import canonical_struct
from choir.primitives.hashing import sha256_hex

MAX_TEXT_BYTES: Final = 64 * 1024
SALT_BYTES: Final = 16

# C0 and C1 controls and DEL, but for tab and line feed. A carriage return is refused too: it lets the end of
# a line overprint its beginning in a terminal, and two texts that look alike would have two hashes.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# I-JSON (RFC 7493 section 2.1), on which RFC 8785 stands, has no noncharacters.
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)) + "]"
)
# Characters that take no ink although their general category is letter, mark, symbol or unassigned: the
# Default_Ignorable_Code_Point property of the Unicode database, the blank Braille pattern, the null notehead.
_INKLESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U0001d159\U000e0000-\U000e0fff]"
)
_INKLESS_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_SALT = re.compile(r"[0-9a-f]{32}")


class TextError(ValueError):
    """The text is refused. ``reason`` is one word for machines, the message one sentence for people.

    Reasons: empty, too_large, surrogate, control, noncharacter, unnormalised, blank, invisible; and salt.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _HashedContent(msgspec.Struct, frozen=True):
    author: str
    salt: str
    text: str
    thread_id: str


def check_text(text: str) -> None:
    """Raise ``TextError`` unless ``text`` may be the text of a message; at most 64 KiB of it is looked at.

    Right-to-left text, joiners and variation selectors are welcome (scripts and emoji need them), as long as
    something can be seen. NFC is the running Python's: code points newer than its Unicode pass as they are.
    """
    if not text:
        raise TextError("empty", "the text is empty")
    _check_size(text)
    _check_characters(text)
    if not unicodedata.is_normalized("NFC", text):
        raise TextError("unnormalised", "the text is not in Unicode normal form C: normalise it, then sign its hash")
    if text.isspace():
        raise TextError("blank", "the text holds nothing but white space")
    if not any(has_ink(character) for character in text):
        raise TextError("invisible", "the text holds nothing but invisible characters")


def has_ink(character: str) -> bool:
    """Whether something can be seen where ``character`` stands: no white space, nothing invisible."""
    return unicodedata.category(character) not in _INKLESS_CATEGORIES and not _INKLESS.match(character)


def normalise_text(text: str) -> str:
    """``text`` in NFC with line feeds as line ends: for clients, before they sign. May still be refused."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def new_salt() -> str:
    """A fresh random salt, 32 lowercase hex digits: a short private text cannot be guessed from its hash."""
    return secrets.token_hex(SALT_BYTES)


def content_hash(author: str, salt: str, text: str, thread_id: str) -> str:
    """SHA-256 (64 hex digits) of the RFC 8785 form of the four fields: the name of a message everywhere.

    ``author`` is base58, ``salt`` and ``thread_id`` are 32 lowercase hex digits. ``text`` is hashed as it
    stands: call ``check_text`` first. Raises ``TextError`` (salt, surrogate). Rule: ledger.md, "Wire form".
    """
    if not _SALT.fullmatch(salt):
        raise TextError("salt", "a salt is 32 lowercase hex digits")
    _refuse_surrogates(text)
    return sha256_hex(canonical_struct(_HashedContent(author, salt, text, thread_id)))


def _check_size(text: str) -> None:
    # A code point takes at least one byte, so a long text is refused before anything reads all of it.
    if len(text) > MAX_TEXT_BYTES:
        raise TextError("too_large", f"the text has more than {MAX_TEXT_BYTES} bytes of UTF-8")
    _refuse_surrogates(text)
    size_bytes = len(text.encode("utf-8"))
    if size_bytes > MAX_TEXT_BYTES:
        raise TextError("too_large", f"the text has {size_bytes} bytes of UTF-8; the limit is {MAX_TEXT_BYTES}")


def _refuse_surrogates(text: str) -> None:
    if found := _SURROGATE.search(text):
        raise TextError("surrogate", f"half a surrogate pair stands at character {found.start()}: not valid Unicode")


def _check_characters(text: str) -> None:
    if found := _CONTROL.search(text):
        raise TextError(
            "control",
            f"the control character U+{ord(found[0]):04X} stands at character {found.start()}: "
            "only tab and line feed are allowed",
        )
    if found := _NONCHARACTER.search(text):
        raise TextError("noncharacter", f"U+{ord(found[0]):04X} at character {found.start()} is no Unicode character")

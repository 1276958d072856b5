"""Amounts of CHOIR. The ledger counts in whole ``uchoir``; 1 CHOIR is 1,000,000 uchoir."""

import re
from typing import Final

UCHOIR_PER_CHOIR: Final = 1_000_000
TOTAL_SUPPLY_UCHOIR: Final = 10_000_000_000 * UCHOIR_PER_CHOIR

_CHOIR_TEXT = re.compile(r"(\d{1,11})(?:\.(\d{1,6}))?", re.ASCII)


def parse_choir(text: str) -> int:
    """Read an amount a person wrote in CHOIR (``"100"``, ``"0.25"``) as uchoir. Raises ``ValueError``."""
    match = _CHOIR_TEXT.fullmatch(text.strip().replace(",", "").replace("_", ""))
    if match is None:
        raise ValueError(f"{text!r} is not an amount of CHOIR: write digits with at most 6 decimals")
    whole, fraction = match.groups()
    amount_uchoir = int(whole) * UCHOIR_PER_CHOIR + int((fraction or "").ljust(6, "0"))
    if amount_uchoir > TOTAL_SUPPLY_UCHOIR:
        raise ValueError(f"{text} CHOIR is more than the total supply")
    return amount_uchoir


def format_choir(amount_uchoir: int) -> str:
    """Write uchoir as CHOIR for people: ``"1,234.5"``."""
    sign = "-" if amount_uchoir < 0 else ""
    whole, fraction = divmod(abs(amount_uchoir), UCHOIR_PER_CHOIR)
    decimals = f"{fraction:06d}".rstrip("0")
    return f"{sign}{whole:,}.{decimals}" if decimals else f"{sign}{whole:,}"

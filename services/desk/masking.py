"""Callers' numbers as people may see them."""

from __future__ import annotations

MASK = "****"
UNKNOWN = "号码未显示"


def mask_number(number: str) -> str:
    """`19900000102` → `199****0102`. At least four digits are always hidden; what is not a
    number (`anonymous`) is not shown at all."""
    digits = "".join(c for c in number if c.isascii() and c.isdigit())
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if not digits or any(c.isalpha() for c in number):
        return UNKNOWN
    if len(digits) >= 11:
        return f"{digits[:3]}{MASK}{digits[-4:]}"
    if len(digits) >= 7:
        return f"{MASK}{digits[-3:]}"
    return MASK

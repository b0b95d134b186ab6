"""Personal data in texts: what has the form of an address or a number of a person, and passes its checksum.

Chinese identity numbers: GB 11643-1999 (a region, a day that exists, a check digit by ISO 7064 MOD 11-2). Bank cards:
ISO/IEC 7812 (a known issuer with its length, a check digit by Luhn's formula). In examples most of it is hidden.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator

from truetune.audit.parts import SHOWN, AuditPart, Parts, Severity, finding
from truetune.types import Finding

_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:"
    r"(?:(?:\+|00)86[ -]?)?1[3-9]\d([ -]?)\d{4}\1\d{4}"  # a Chinese mobile
    r"|0\d{2,3}-[2-9]\d{6,7}"  # a Chinese landline
    r"|\+[1-9]\d{0,2}(?:[ .-]?\(\d{1,4}\))?(?:[ .-]?\d{2,4}){2,5}"  # with a country's code
    r"|(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-.]\d{4}"  # North America
    r")(?![\w-]|\.\d)",
    re.ASCII,
)
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-8]\d{5}(?:19|20)\d{9}[0-9Xx](?![0-9A-Za-z])", re.ASCII)
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){12,18}(?![\w-]|[.,]\d)", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_REGIONS = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46}
_REGIONS |= {50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83}
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4000, 4999, (13, 16, 19)),
    (5100, 5599, (16,)),
    (2221, 2720, (16,)),
    (3400, 3499, (15,)),
    (3700, 3799, (15,)),
    (6200, 6299, (16, 17, 18, 19)),
    (6011, 6011, (16,)),
    (6440, 6599, (16,)),
    (3528, 3589, (16,)),
)
"""First and last beginning of a card's number, and how many digits it has."""


def emails(text: str) -> list[str]:
    """Return the e-mail addresses in a text."""
    return _EMAIL.findall(text) if "@" in text else []


def phones(text: str) -> list[str]:
    """Return what is written as a telephone number of China, North America, or any country with its code."""
    found = (match[0] for match in _PHONE.finditer(text))
    return [one for one in found if 10 <= _digits(one) <= 15]


def identities(text: str) -> list[str]:
    """Return the Chinese identity numbers in a text: of a region, with a day of birth and the right check digit."""
    return [one for one in _IDENTITY.findall(text) if _is_identity(one)]


def cards(text: str) -> list[str]:
    """Return the numbers of bank cards in a text: of a known issuer, with the right check digit."""
    found = (match[0] for match in _CARD.finditer(text))
    return [one for one in found if _is_card(re.sub("[ -]", "", one))]


KINDS: tuple[tuple[str, Severity, Callable[[str], list[str]]], ...] = (
    ("e-mail addresses", "note", emails),
    ("telephone numbers", "note", phones),
    ("identity numbers", "warning", identities),
    ("bank card numbers", "warning", cards),
)
_LOOKED_FOR = re.compile(r"@|\d(?:[ .()-]{0,2}\d){9}")
"""What a text without any of these does not have."""


def personal_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what looks like personal data, by its kind."""
    for part in parts.values():
        yield from _of_part(part)


def _of_part(part: AuditPart) -> Iterator[Finding]:
    counts = dict.fromkeys((name for name, _, _ in KINDS), 0)
    shown: dict[str, list[str]] = {name: [] for name in counts}
    for place, text in enumerate(part.whole):
        if _LOOKED_FOR.search(text) is None:
            continue
        for name, _, found in KINDS:
            there = found(text)
            counts[name] += bool(there)
            if there and counts[name] <= SHOWN:
                shown[name].append(f"{part.ids[place]}: {hidden(there[0])}")
    for name, severity, _ in KINDS:
        if counts[name]:
            yield finding(
                name,
                severity,
                shown[name],
                f"these texts of {part.name} hold what has the form of personal data: it tells nothing of the answer, "
                "and a model, a report and a server's log can give it away. Replace it by a mark of its kind",
                counts[name],
                parts=(part.name,),
            )


def hidden(value: str) -> str:
    """Return a value of which two characters at the beginning and one at the end are to be seen."""
    return f"{value[:2]}{'*' * max(len(value) - 3, 1)}{value[-1:]}"


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _is_identity(number: str) -> bool:
    if int(number[:2]) not in _REGIONS:
        return False
    try:
        datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECK[total % 11] == number[17].upper()


def _is_card(number: str) -> bool:
    begin = int(number[:4])
    if not any(first <= begin <= last and len(number) in sizes for first, last, sizes in _ISSUERS):
        return False
    if len(set(number)) < 4 or (len(number) == 18 and _is_identity(number)):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = sum(2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0

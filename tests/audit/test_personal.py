"""Personal data: numbers with right check digits are found, those with wrong ones and ordinary numbers are not."""

from __future__ import annotations

import pytest

from truetune.audit.parts import AuditPart
from truetune.audit.personal import cards, emails, hidden, identities, personal_findings, phones

# Published samples: the example of GB 11643-1999, card numbers for tests of payments.
IDENTITY = "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"身份证号{IDENTITY}，请核对", [IDENTITY]),
        (IDENTITY.lower(), [IDENTITY.lower()]),
        ("440524188001010014", []),  # born 1880
        ("440524198001010013", ["440524198001010013"]),
        ("110105194912310021", []),  # wrong check digit
        ("11010519490229002X", []),  # no such day
        ("99010519491231002X", []),  # no such region
        (f"order 7{IDENTITY}", []),
    ],
)
def test_identity_numbers(text: str, found: list[str]) -> None:
    assert identities(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("card 4111 1111 1111 1111", []),  # fewer than 4 different digits: made up
        ("4012 8888 8888 1881", ["4012 8888 8888 1881"]),
        ("4012-8888-8888-1881, 378282246310005", ["4012-8888-8888-1881", "378282246310005"]),
        ("6205500000000000004", ["6205500000000000004"]),
        ("4012888888881881", ["4012888888881881"]),
        ("4012888888881882", []),  # wrong check digit
        ("9012888888881880", []),  # no issuer
        ("v1.4012888888881881", []),
    ],
)
def test_bank_cards(text: str, found: list[str]) -> None:
    assert cards(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("电话13812345678。", ["13812345678"]),
        ("+86 138-1234-5678", ["+86 138-1234-5678"]),
        ("0755-26771234", ["0755-26771234"]),
        ("call (212) 555-0143 now", ["(212) 555-0143"]),
        ("212.555.0143", ["212.555.0143"]),
        ("212.055.0143", []),  # no exchange begins with 0
        ("+44 20 7946 0958", ["+44 20 7946 0958"]),
        ("12812345678", []),
        ("id 138123456789", []),
        ("in 2019-10-11 and 3.14159265358", []),
        ("10.0.0.1, 1,300,000,000", []),
    ],
)
def test_telephone_numbers(text: str, found: list[str]) -> None:
    assert phones(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("写信给 zhang.san@example.com.cn。", ["zhang.san@example.com.cn"]),
        ("a+b@x-y.org, @someone and 5 @ 3.2", ["a+b@x-y.org"]),
        ("me@localhost", []),
    ],
)
def test_emails(text: str, found: list[str]) -> None:
    assert emails(text) == found


def test_findings_count_texts_and_hide_what_they_show() -> None:
    texts = [
        "plain",
        f"{IDENTITY} and {IDENTITY}",
        "a@b.com",
        "138 1234 5678",
        "4012888888881881",
        "42 is 1234567890123",
    ]
    part = AuditPart("train", list("abcdef"), [texts], None, None)
    found = {one.check: one for one in personal_findings({"train": part})}
    assert {check: (one.severity, one.count) for check, one in found.items()} == {
        "e-mail addresses": ("note", 1),
        "telephone numbers": ("note", 1),
        "identity numbers": ("warning", 1),
        "bank card numbers": ("warning", 1),
    }
    assert found["identity numbers"].examples == ("b: 11***************X",)
    assert hidden("ab") == "ab*b"

"""Faults of gold spans, each beside a clean twin."""

import pytest

from truetune.audit.parts import AuditPart
from truetune.audit.spans import span_findings
from truetune.types import Finding, Span

TEXT = "Ada King met iPhone用户 in Rome"


def found(*spans: Span, text: str = TEXT) -> dict[str, Finding]:
    part = AuditPart("train", ["7", "8"], [[text, "another"]], [list(spans), []], None)
    return {one.check: one for one in span_findings({"train": part})}


@pytest.mark.parametrize(
    ("spans", "check", "example"),
    [
        ([(0, 9, "PER")], "spans with white space at their border", "7: 'Ada King ' (0, 9, 'PER')"),
        ([(0, 7, "PER")], "spans that cut a word", "7: 'Ada Kin' (0, 7, 'PER')"),
        ([(5, 8, "PER")], "spans that cut a word", "7: 'ing' (5, 8, 'PER')"),
        ([(25, 40, "LOC")], "spans outside their text", "7: 'Rome' (25, 40, 'LOC')"),
        ([(3, 3, "LOC")], "spans outside their text", "7: '' (3, 3, 'LOC')"),
        ([(0, 8, "PER"), (0, 8, "PER")], "spans given twice", "7: 'Ada King' (0, 8, 'PER')"),
        ([(0, 12, "X"), (0, 3, "PER"), (4, 8, "PER")], "overlapping spans", "7: 'Ada King met' (0, 12, 'X')"),
    ],
)
def test_a_fault_is_found(spans: list[tuple[int, int, str]], check: str, example: str) -> None:
    checks = found(*(Span(*span) for span in spans))
    assert set(checks) == {check}
    assert checks[check].examples[0] == example


def test_every_overlap_is_counted_also_behind_a_nested_one() -> None:
    spans = [Span(0, 12, "X"), Span(4, 8, "Y"), Span(9, 12, "Z"), Span(24, 28, "LOC")]
    assert found(*spans)["overlapping spans"].count == 2


def test_nothing_fires_on_sound_spans() -> None:
    assert not found(Span(0, 8, "PER"), Span(13, 19, "PRODUCT"), Span(19, 21, "WHO"), Span(25, 29, "LOC"))
    assert not found(Span(0, 2, "LOC"), text="北京好")
    nested = AuditPart("train", ["1"], [["a bc"]], [[Span(0, 4, "X"), Span(2, 4, "X")]], None, nested=True)
    assert list(span_findings({"train": nested})) == []
    labels = AuditPart("train", ["1"], [["text"]], ["label"], None)
    assert not list(span_findings({"train": labels}))

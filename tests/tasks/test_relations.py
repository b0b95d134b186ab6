"""The task of relations: labels or triples, never both at once."""

from __future__ import annotations

from truetune.tasks.relations import RELATIONS_SCORING


def test_metrics_by_fields() -> None:
    for field in ("label", "triples"):
        names = [one.name for one in RELATIONS_SCORING.metrics if one.gold == one.predicted == field]
        assert len(set(names)) == len(names)
        assert RELATIONS_SCORING.primary[0] in names
    assert {one.gold for one in RELATIONS_SCORING.metrics} == {"label", "triples"}


def test_fields_are_parsed() -> None:
    label, triples = (fields[0] for fields in RELATIONS_SCORING.gold)
    assert label.parse is not None
    assert triples.parse is not None
    assert label.parse(" 拥有 ") == "拥有"
    assert triples.parse([[[0, 1, "A"], "r", [2, 3, "B"]]])[0][1] == "r"

"""Several processes at one search: what one saves all see, what one has begun nobody begins again, unless it died."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from truetune.config import Optimize
from truetune.errors import ConfigError, MissingPackageError, TruetuneError
from truetune.optimization import database, finalists, search
from truetune.optimization.crew import Alone
from truetune.optimization.database import Database
from truetune.optimization.finalists import confirming_runs, finalists_of
from truetune.optimization.journal import Folder
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Race
from truetune.optimization.search import Budget, Search
from truetune.optimization.space import Move, Range
from truetune.optimization.trial import Rung, Seen, Trial

Make = Callable[..., Any]
TERMS = {"model": "m", "data": "d"}
TRIAL = Trial(3, {"train.x": 0.5, "model.dropout": None}, "stopped", (Seen(0.5, 0.7, 1.5),), "why", {"size": 1.5})
RUNGS = [Rung(0.5, {"label": ["a", "b"], "scores": [{"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.5}]}, 1.5)]
SPACE = (Move("train.x", Range(0.0, 1.0), ""),)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database; PostgreSQL where TRUETUNE_POSTGRES names one that may be emptied."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'search.db'}"
        return
    if "TRUETUNE_POSTGRES" not in os.environ:
        pytest.skip("TRUETUNE_POSTGRES names no database")
    import sqlalchemy as sql

    yield os.environ["TRUETUNE_POSTGRES"]
    engine = sql.create_engine(os.environ["TRUETUNE_POSTGRES"].replace("postgresql://", "postgresql+psycopg://"))
    database.META.drop_all(engine)
    engine.dispose()


def test_a_folder_and_a_database_give_back_what_was_saved(address: str, tmp_path: Path) -> None:
    with Database(address, "s", TERMS) as first:
        first.write(TRIAL, RUNGS)
        first.write_confirming(3, 17, RUNGS[0].predicted, 8.25)
    folder = Folder(tmp_path)
    folder.write(TRIAL, RUNGS)
    folder.write_confirming(3, 17, RUNGS[0].predicted, 8.25)
    with Database(address, "s", TERMS) as again:
        for journal in (again, folder):
            assert journal.trials() == [TRIAL]
            assert journal.predicted(3, 0) == RUNGS[0].predicted
            assert journal.confirming(3, 17) == RUNGS[0].predicted
            assert journal.confirming_seconds(3, 17) == 8.25
            assert journal.confirming(3, 18) is None
    with Database(address, "another", TERMS) as other:
        assert other.trials() == []
        assert other.confirming(3, 17) is None


def test_what_one_has_begun_nobody_begins_again(address: str) -> None:
    with Database(address, "s", TERMS) as one, Database(address, "s", TERMS) as two, Database(address, "t", TERMS) as t:
        assert one.claim(0)
        assert one.claim(3, 17)
        assert not two.claim(0)
        assert not two.claim(3, 17)
        assert t.claim(0), "another search"
        assert (one.taken(), two.taken()) == (set(), {0})
        one.write(Trial(0, {}, "finished"), [])
        one.write_confirming(3, 17, RUNGS[0].predicted, 8.25)
        assert two.taken() == set()
        assert not two.claim(0), "it has come to its end"
        assert not two.claim(3, 17)
        assert two.claim(1)
        assert one.taken() == {1}
    with Database(address, "s", TERMS) as three:
        assert three.taken() == set()
        assert three.claim(1), "a process that ends gives back what it has not finished"


def test_the_first_who_saves_a_trial_is_kept(address: str) -> None:
    with Database(address, "s", TERMS) as one, Database(address, "s", TERMS) as two:
        one.write(TRIAL, RUNGS)
        two.write(Trial(3, {}, "failed"), [])
        assert one.trials() == two.trials() == [TRIAL]
        assert two.predicted(3, 0) == RUNGS[0].predicted


def test_a_claim_lapses_when_its_process_is_gone_and_not_before(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BEAT", 0.05)
    monkeypatch.setattr(database, "LAPSE", 1.0)
    with Database(address, "s", TERMS) as one, Database(address, "s", TERMS) as two:
        assert one.claim(0)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert two.taken() == {0}
            time.sleep(0.05)
        one._end.set()  # as a killed process: no beat, nothing given back
        one._heart.join()
        assert two.taken() == {0}
        time.sleep(1.2)
        assert two.taken() == set()
        assert two.claim(0)
        assert one.taken() == {0}
        assert not one.claim(0)


def test_what_all_must_agree_on_is_told(address: str) -> None:
    with (
        Database(address, "s", TERMS),
        pytest.raises(ConfigError, match=r"holds a search 's' with another data; expected the same"),
    ):
        Database(address, "s", {**TERMS, "data": "e"})


def test_what_the_search_began_with_is_what_the_first_said(address: str) -> None:
    with Database(address, "s", TERMS) as one, Database(address, "s", TERMS) as two:
        assert two.agreed("begun", None) is None
        assert one.agreed("begun", "first") == "first"
        assert two.agreed("begun", "second") == two.agreed("begun", None) == "first"


def test_two_searches_share_their_trials(address: str, drawn: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WAIT", 0.02)
    monkeypatch.setattr(finalists, "WAIT", 0.02)
    runners = [drawn(lambda changes: 0.8 - abs(changes.get("train.x", 0.5) - 0.3)) for _ in range(2)]
    begun = threading.Barrier(2)

    def searched(place: int) -> tuple[list[Trial], dict[int, Any]]:
        runner = runners[place]
        with Database(address, "s", TERMS) as journal:
            own = Search(Alone(runner), runner.judge("search"), Race(), journal, 0, lambda line: None)
            begun.wait(30)
            trials = own.run(Proposals(SPACE, "random", place, 1), Budget(24, 1e9))
            return trials, confirming_runs(own, finalists_of(own, trials, 2), [1, 2])

    with ThreadPoolExecutor(2) as both:
        (trials, runs), (others, other_runs) = both.map(searched, range(2))
    assert [trial.number for trial in trials] == list(range(24))
    assert trials == others
    assert runs == other_runs
    asked = [one for runner in runners for one in runner.asked]
    assert sum(seed == 0 for _, seed, _ in asked) == 24
    assert sum(seed > 0 for _, seed, _ in asked) == 2 * len(runs) - 1, "each run that confirms was made once"
    assert all(any(seed == 0 for _, seed, _ in runner.asked[1:]) for runner in runners), "both have worked"
    assert sum(not changes for changes, seed, _ in asked if seed == 0) == 1, "trial 0 was trained once"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://me:secret@host/db", "password"),
        ("postgresql+psycopg://me:@host/db", "password"),
        ("runs/search.db", "address of a database"),
    ],
)
def test_addresses_that_would_be_written_into_runs_or_are_none_are_refused(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        Optimize(storage=address)
    if said == "password":
        assert "PGPASSWORD" in str(refused.value)


@pytest.mark.parametrize(
    "address", ["postgresql://host:5432/db", "postgresql://me@host/db", "sqlite:////data/a:b@c.db"]
)
def test_addresses_without_a_password_are_taken(address: str) -> None:
    assert Optimize(storage=address).storage == address


def test_a_database_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(TruetuneError, match=r"optimize.storage: sqlite:///.*cannot be used \(unable to open"):
        Database(f"sqlite:///{tmp_path / 'none' / 'search.db'}", "s", TERMS)
    with pytest.raises(ConfigError, match="is no address of a database"):
        Database("nosuch://host/db", "s", TERMS)


def test_a_driver_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingPackageError, match=r"truetune\[postgres\]"):
        Database("postgresql://127.0.0.1:1/db", "s", TERMS)

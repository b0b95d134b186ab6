"""A journal in a database, such as PostgreSQL: processes on any machines work at one search.

A process claims what it begins, and its claims beat while it lives. A claim that has stopped beating, because its
process was killed or its machine lost, is taken over by whoever comes next.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from truetune.data.arrow import columns_of_bytes, parquet_about, parquet_bytes
from truetune.errors import ConfigError, MissingPackageError, TruetuneError
from truetune.optimization.journal import SECONDS, Columns, seconds_said, trial_of
from truetune.optimization.trial import Rung, Trial

try:
    import sqlalchemy as sql
except ImportError as error:
    raise MissingPackageError("sqlalchemy", "`optimize.storage`", "postgres") from error

BEAT, LAPSE = 10.0, 60.0
"""Seconds from beat to beat, and without one until a claim is anybody's."""
DONE = -1
"""The beat of what has come to its end."""
KEPT = 64
"""So many predictions are kept in memory."""

META = sql.MetaData()
SEARCHES = sql.Table(
    "truetune_searches", META, sql.Column("name", sql.String, primary_key=True), sql.Column("terms", sql.Text)
)
TRIALS = sql.Table(
    "truetune_trials",
    META,
    sql.Column("search", sql.String, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("saved", sql.Text),
)
PREDICTIONS = sql.Table(
    "truetune_predictions",
    META,
    sql.Column("search", sql.String, primary_key=True),
    sql.Column("what", sql.String, primary_key=True),
    sql.Column("parquet", sql.LargeBinary),
)
CLAIMS = sql.Table(
    "truetune_claims",
    META,
    sql.Column("search", sql.String, primary_key=True),
    sql.Column("what", sql.String, primary_key=True),
    sql.Column("owner", sql.String),
    sql.Column("beat", sql.Integer),
)


class Database:
    """A journal in the tables of a database, used as a context, which gives back what was not finished."""

    shared = True

    def __init__(self, url: str, search: str, terms: Mapping[str, str]) -> None:
        """`terms`: what all processes of a search must agree on, by name; raises ConfigError where they do not."""
        self._search, self._owner = search, uuid.uuid4().hex
        self._watched: dict[str, tuple[tuple[str, int], float]] = {}
        self._known: dict[str, Columns] = {}
        self._end, self._heart = threading.Event(), threading.Thread(target=self._beat, daemon=True)
        try:
            self._engine = sql.create_engine(
                url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True
            )
        except ModuleNotFoundError as error:
            raise MissingPackageError(str(error.name), "`optimize.storage`", "postgres") from error
        except sql.exc.ArgumentError as error:
            raise ConfigError(f"optimize.storage: {url!r} is no address of a database ({error})") from None
        try:
            self._make_tables()
            self._agree(url, terms)
        except (sql.exc.OperationalError, sql.exc.ProgrammingError) as error:
            self._engine.dispose()
            raise TruetuneError(f"optimize.storage: {url}: cannot be used ({_first_line(error.orig)})") from None
        except ConfigError:
            self._engine.dispose()
            raise

    def __enter__(self) -> Database:
        """Begin to beat."""
        self._heart.start()
        return self

    def __exit__(self, *reason: object) -> None:
        """Give back what was claimed and has not come to its end."""
        self._end.set()
        self._heart.join()
        with self._engine.begin() as connection:
            connection.execute(sql.delete(CLAIMS).where(*self._ours()))
        self._engine.dispose()

    def trials(self) -> list[Trial]:
        """Return the trials that came to an end, by number."""
        wanted = sql.select(TRIALS.c.saved).where(TRIALS.c.search == self._search).order_by(TRIALS.c.number)
        with self._engine.connect() as connection:
            return [trial_of(json.loads(saved)) for saved in connection.scalars(wanted)]

    def write(self, trial: Trial, rungs: Sequence[Rung]) -> None:
        """Save a trial with what it predicted at each rung; where another process was first, its own stands."""

        def write(connection: sql.Connection) -> None:
            saved = json.dumps(asdict(trial), ensure_ascii=False)
            connection.execute(sql.insert(TRIALS).values(search=self._search, number=trial.number, saved=saved))
            for place, rung in enumerate(rungs):
                self._add(connection, _rung(trial.number, place), rung.predicted)
            self._finish(connection, _claimed(trial.number, None))

        self._first(write)

    def predicted(self, number: int, place: int) -> Columns:
        """Return what a trial predicted at a rung, counted from 0."""
        found = self._predictions(_rung(number, place))
        assert found is not None
        return found

    def confirming(self, number: int, seed: int) -> Columns | None:
        """Return what a finalist's run with a seed predicted, or None where it was not made yet."""
        return self._predictions(_claimed(number, seed))

    def confirming_seconds(self, number: int, seed: int) -> float | None:
        """Return how long a finalist's run with a seed was trained, which was made; None: an older version made it."""
        parquet = self._parquet(_claimed(number, seed))
        assert parquet is not None
        return seconds_said(parquet_about(parquet))

    def write_confirming(self, number: int, seed: int, predicted: Columns, seconds: float) -> None:
        """Save what a finalist's run with a seed predicted; where another process was first, its own stands."""

        def write(connection: sql.Connection) -> None:
            self._add(connection, _claimed(number, seed), predicted, {SECONDS: repr(seconds)})
            self._finish(connection, _claimed(number, seed))

        self._first(write)

    def claim(self, number: int, seed: int | None = None) -> bool:
        """Take a trial or a finalist's run for this process; False where another has it, or it came to its end."""
        what = _claimed(number, seed)
        own = sql.insert(CLAIMS).values(search=self._search, what=what, owner=self._owner, beat=0)
        if self._first(lambda connection: connection.execute(own)):
            return True
        with self._engine.begin() as connection:
            held = self._held(connection).get(what)
            if held is None or not self._lapsed(what, held):
                return False
            owner, beat = held
            same = (CLAIMS.c.search == self._search, CLAIMS.c.what == what)
            seen = (CLAIMS.c.owner == owner, CLAIMS.c.beat == beat)
            moved = connection.execute(sql.update(CLAIMS).where(*same, *seen).values(owner=self._owner, beat=0))
            return moved.rowcount == 1

    def taken(self) -> set[int]:
        """Return the trials that other processes have under way."""
        with self._engine.connect() as connection:
            held = self._held(connection)
        trials = {what: seen for what, seen in held.items() if what.startswith("trial ") and seen[0] != self._owner}
        return {int(what.removeprefix("trial ")) for what, seen in trials.items() if not self._lapsed(what, seen)}

    def agreed(self, what: str, said: str | None) -> str | None:
        """Return what the first process of the search said of something; None where none has, and `said` is None."""
        name = f"{self._search}: {what}"
        if said is not None:
            self._first(lambda connection: connection.execute(sql.insert(SEARCHES).values(name=name, terms=said)))
        with self._engine.connect() as connection:
            return connection.scalar(sql.select(SEARCHES.c.terms).where(SEARCHES.c.name == name))

    def _make_tables(self) -> None:
        try:
            META.create_all(self._engine)
        except sql.exc.DBAPIError:  # another process may have made one of them in this moment
            META.create_all(self._engine)

    def _agree(self, url: str, terms: Mapping[str, str]) -> None:
        own = sql.insert(SEARCHES).values(name=self._search, terms=json.dumps(dict(terms)))
        self._first(lambda connection: connection.execute(own))
        with self._engine.connect() as connection:
            saved = connection.scalar(sql.select(SEARCHES.c.terms).where(SEARCHES.c.name == self._search))
        known = json.loads(saved or "{}")
        if other := [name for name in {**known, **terms} if known.get(name) != terms.get(name)]:
            raise ConfigError(
                f"optimize.storage: {url} holds a search {self._search!r} with another {' and '.join(other)}; expected "
                "the same for all processes of a search. Name another one with track.name"
            )

    def _held(self, connection: sql.Connection) -> dict[str, tuple[str, int]]:
        """Return owner and beat of all claims of the search that have not come to their end."""
        wanted = sql.select(CLAIMS.c.what, CLAIMS.c.owner, CLAIMS.c.beat)
        rows = connection.execute(wanted.where(CLAIMS.c.search == self._search, CLAIMS.c.beat != DONE))
        return {row.what: (row.owner, row.beat) for row in rows}

    def _lapsed(self, what: str, seen: tuple[str, int]) -> bool:
        """Return whether a claim has not beaten for so long, by the clock of this process."""
        now = time.monotonic()
        known, since = self._watched.get(what, (None, now))
        if known != seen:
            self._watched[what] = seen, now
            return False
        return now - since >= LAPSE

    def _ours(self) -> tuple[sql.ColumnElement[bool], ...]:
        return CLAIMS.c.search == self._search, CLAIMS.c.owner == self._owner, CLAIMS.c.beat != DONE

    def _beat(self) -> None:
        while not self._end.wait(BEAT):
            try:
                with self._engine.begin() as connection:
                    connection.execute(sql.update(CLAIMS).where(*self._ours()).values(beat=CLAIMS.c.beat + 1))
            except sql.exc.OperationalError:
                continue  # the database is away for a while: what is saved next says so if it stays away

    def _first(self, write: Callable[[sql.Connection], object]) -> bool:
        """Write in one transaction; nothing at all, and return False, where what is written is there already."""
        try:
            with self._engine.begin() as connection:
                write(connection)
        except sql.exc.IntegrityError:
            return False
        return True

    def _add(
        self, connection: sql.Connection, what: str, predicted: Columns, about: Mapping[str, str] | None = None
    ) -> None:
        parquet = parquet_bytes(dict(predicted), about)
        connection.execute(sql.insert(PREDICTIONS).values(search=self._search, what=what, parquet=parquet))

    def _finish(self, connection: sql.Connection, what: str) -> None:
        same = (CLAIMS.c.search == self._search, CLAIMS.c.what == what)
        connection.execute(sql.update(CLAIMS).where(*same).values(beat=DONE))

    def _predictions(self, what: str) -> Columns | None:
        if what not in self._known:
            parquet = self._parquet(what)
            if parquet is None:
                return None
            if len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[what] = columns_of_bytes(parquet)
        return self._known[what]

    def _parquet(self, what: str) -> bytes | None:
        """Return predictions as they were saved; None where there are none."""
        same = (PREDICTIONS.c.search == self._search, PREDICTIONS.c.what == what)
        with self._engine.connect() as connection:
            return connection.scalar(sql.select(PREDICTIONS.c.parquet).where(*same))


def _claimed(number: int, seed: int | None) -> str:
    return f"trial {number}" if seed is None else f"confirming {number} seed {seed}"


def _rung(number: int, place: int) -> str:
    return f"trial {number} rung {place}"


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

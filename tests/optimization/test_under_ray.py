"""Trainings side by side under Ray say what they say alone; one that fails, is stopped or is lost costs only itself."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from truetune.errors import MissingPackageError, RunError, TruetuneError
from truetune.optimization.crew import Alone
from truetune.optimization.trial import Rung
from truetune.optimization.under_ray import RETRIES, RayCrew


@dataclass(frozen=True)
class Makes:
    """Makes a runner whose answers are a function of what it is asked, and which obeys some changes."""

    folder: str

    def __call__(self) -> Any:
        return Obeying(Path(self.folder))


@dataclass(frozen=True)
class Obeying:
    folder: Path

    def run(self, changes: Mapping[str, Any], seed: int, confirms: bool) -> Iterator[Rung]:
        for place in (1, 2, 3, 4):
            if changes.get("fail") == place:
                raise TruetuneError(f"step {place}: the loss is not a finite number")
            if changes.get("bug") == place:
                raise KeyError("what nobody thought of")
            if changes.get("lost") == place:
                _lost(self.folder, changes["times"])
            if changes.get("slow"):
                time.sleep(0.5)
            yield Rung(place / 4, {"label": [f"{confirms} {seed} {place}"]}, float(place))
        if confirms:
            if changes.get("lost") == 5:
                _lost(self.folder, changes["times"])
            yield Rung(1.0, {"label": [f"unseen {seed}"]}, 5.0, "confirm")
        (self.folder / f"ended-{changes['name']}").touch()


def _lost(folder: Path, times: int) -> None:
    """End this process as one that is killed, so many times in all."""
    left = [file for file in (folder / f"lost-{number}" for number in range(times)) if not file.exists()]
    if left:
        left[0].touch()
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCrew]:
    ray = pytest.importorskip("ray")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with RayCrew(Makes(str(tmp_path_factory.mktemp("ray"))), 2, SAID.append) as found:
        yield found
    assert not ray.is_initialized(), "Ray was started here, so it is ended here"


SAID: list[str] = []


def heard(crew: Any, number: int) -> dict[Any, list[Any]]:
    """Return all that so many trainings say until each has ended."""
    found: dict[Any, list[Any]] = {}
    while number:
        key, said = crew.next()
        found.setdefault(key, []).append(said)
        number -= not isinstance(said, Rung)
    return found


@pytest.mark.slow
def test_side_by_side_they_say_what_each_says_alone(crew: RayCrew, tmp_path: Path) -> None:
    crew.begin("a", {"name": "a", "slow": 1}, 1, confirms=False)
    crew.begin("b", {"name": "b", "slow": 1}, 2, confirms=True)
    found = heard(crew, 2)
    alone = Alone(Obeying(tmp_path))
    for key, seed, confirms in (("a", 1, False), ("b", 2, True)):
        alone.begin(key, {"name": key}, seed, confirms)  # type: ignore[arg-type]
        assert found[key] == heard(alone, 1)[key]
        assert found[key][-1] is None


@pytest.mark.slow
def test_one_that_fails_says_so_and_the_other_goes_on(crew: RayCrew) -> None:
    crew.begin(1, {"name": "1", "fail": 3}, 0, confirms=False)
    crew.begin(2, {"name": "2"}, 0, confirms=False)
    found = heard(crew, 2)
    assert [type(one) for one in found[1]] == [Rung, Rung, TruetuneError]
    assert str(found[1][-1]) == "step 3: the loss is not a finite number"
    assert len(found[2]) == 5


@pytest.mark.slow
def test_one_that_is_stopped_does_not_go_on(crew: RayCrew) -> None:
    folder = Path(crew._make.folder)  # type: ignore[attr-defined]
    crew.begin("stopped", {"name": "stopped", "slow": 1}, 0, confirms=False)
    assert crew.next()[0] == "stopped"
    crew.stop("stopped")
    crew.begin("next", {"name": "next", "slow": 1}, 0, confirms=False)
    assert set(heard(crew, 1)) == {"next"}
    time.sleep(1)
    assert (folder / "ended-next").exists()
    assert not (folder / "ended-stopped").exists()


@pytest.mark.slow
def test_a_lost_process_begins_again_and_says_nothing_twice(crew: RayCrew) -> None:
    SAID.clear()
    crew.begin("lost", {"name": "lost", "lost": 3, "times": 1}, 0, confirms=False)
    crew.begin("other", {"name": "other", "slow": 1}, 0, confirms=False)
    found = heard(crew, 2)
    assert [one and one.share for one in found["lost"]] == [0.25, 0.5, 0.75, 1.0, None]
    assert len(found["other"]) == 5
    assert len(SAID) == 1
    assert "its training begins again" in SAID[0]


@pytest.mark.slow
def test_one_that_confirms_and_is_lost_before_its_last_word_says_it_once(crew: RayCrew) -> None:
    folder = Path(crew._make.folder)  # type: ignore[attr-defined]
    for file in folder.glob("lost-*"):
        file.unlink()
    crew.begin("confirms", {"name": "confirms", "lost": 5, "times": 1}, 7, confirms=True)
    found = heard(crew, 1)["confirms"]
    assert [one and (one.share, one.part) for one in found] == [
        *((share, "search") for share in (0.25, 0.5, 0.75, 1.0)),
        (1.0, "confirm"),
        None,
    ]


@pytest.mark.slow
def test_one_that_is_lost_again_and_again_ends_the_search(crew: RayCrew) -> None:
    folder = Path(crew._make.folder)  # type: ignore[attr-defined]
    for file in folder.glob("lost-*"):
        file.unlink()
    crew.begin("always", {"name": "always", "lost": 1, "times": 99}, 0, confirms=False)
    with pytest.raises(RunError, match=f"lost {RETRIES + 1} times"):
        crew.next()
    crew.stop("always")


@pytest.mark.slow
def test_what_nobody_thought_of_is_raised(crew: RayCrew) -> None:
    crew.begin("bug", {"name": "bug", "bug": 1}, 0, confirms=False)
    with pytest.raises(RunError, match="what nobody thought of"):
        crew.next()
    crew.stop("bug")


def test_without_ray_what_to_install_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"ray"), RayCrew(Makes(str(tmp_path)), 2, print):
        pass

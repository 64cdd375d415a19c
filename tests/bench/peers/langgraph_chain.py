"""Runs under the Python of langgraph.py. A chain of 100 nodes that add 1, no checkpointer: microseconds a node."""

import asyncio
import statistics
import time
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

LENGTH, ROUNDS, REPEATS = 100, 10, 5


class State(TypedDict):
    n: int


async def one(state: State) -> dict[str, int]:
    return {"n": state["n"] + 1}


def graph() -> Any:
    made = StateGraph(State)
    for i in range(LENGTH):
        made.add_node(f"n{i}", one)
        made.add_edge(START if i == 0 else f"n{i - 1}", f"n{i}")
    made.add_edge(f"n{LENGTH - 1}", END)
    return made.compile()


async def main() -> None:
    chain = graph()
    config = {"recursion_limit": LENGTH + 10}
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(ROUNDS):
            assert (await chain.ainvoke({"n": 0}, config))["n"] == LENGTH
        took.append((time.perf_counter() - began) / ROUNDS / LENGTH * 1e6)
    print(statistics.median(took))


asyncio.run(main())

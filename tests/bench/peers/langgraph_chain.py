"""Runs under the Python of langgraph.py. A chain of 100 nodes that add 1: microseconds a node.

With the address of a PostgreSQL as argument: under its checkpointer, in its usual way (durability "async").
"""

import asyncio
import statistics
import sys
import time
from contextlib import AsyncExitStack
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

LENGTH, ROUNDS, REPEATS = 100, 10, 5


class State(TypedDict):
    n: int


async def one(state: State) -> dict[str, int]:
    return {"n": state["n"] + 1}


def graph(checkpointer: Any = None) -> Any:
    made = StateGraph(State)
    for i in range(LENGTH):
        made.add_node(f"n{i}", one)
        made.add_edge(START if i == 0 else f"n{i - 1}", f"n{i}")
    made.add_edge(f"n{LENGTH - 1}", END)
    return made.compile(checkpointer=checkpointer)


async def main() -> None:
    async with AsyncExitStack() as stack:
        saver = None
        if sys.argv[1:]:
            from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

            saver = await stack.enter_async_context(AsyncPostgresSaver.from_conn_string(sys.argv[1]))
            await saver.setup()
        chain, took = graph(saver), []
        for repeat in range(REPEATS):
            began = time.perf_counter()
            for i in range(ROUNDS):
                config = {"recursion_limit": LENGTH + 10, "configurable": {"thread_id": f"{repeat}-{i}"}}
                assert (await chain.ainvoke({"n": 0}, config))["n"] == LENGTH
            took.append((time.perf_counter() - began) / ROUNDS / LENGTH * 1e6)
        print(statistics.median(took))


asyncio.run(main())

import random
import time
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-size", choices=("small", "full"), default="small", help="how large fault scenarios are")
    parser.addoption("--fault-seed", type=int, default=0, help="replay a scenario with the seed it printed")


SMALL_TOO = "f_01 f_03 f_07 f_10 f_14 f_18 f_25 f_26 f_28 f_30 f_32 f_34 f_35 f_45 f_46".split()
"""What runs with the other tests, at its small size. The rest waits for `make fault`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios that take minutes even when they are small are run when somebody asks for them by name."""
    if config.getoption("--fault-size") == "full":
        for item in items:
            item.add_marker(pytest.mark.timeout(1800))
    if config.getoption("--fault-size") == "full" or config.getoption("keyword"):
        return
    late = [item for item in items if "test_f_" in item.name and not any(f"test_{id}" in item.name for id in SMALL_TOO)]
    if late:
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--fault-size") == "full")


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    seed = request.config.getoption("--fault-seed") or time.time_ns() % 1_000_000
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path

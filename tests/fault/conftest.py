import random
import time
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-size", choices=("small", "full"), default="small", help="how large fault scenarios are")
    parser.addoption("--fault-seed", type=int, default=0, help="replay a scenario with the seed it printed")


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

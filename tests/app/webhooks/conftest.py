from collections.abc import AsyncIterator

import pytest

from app.events import hub
from app.runs import running


@pytest.fixture
async def engine(db: None) -> AsyncIterator[running.Host]:
    """The engine and the hub of this process, as every composition root starts them."""
    host = await running.start("cli")
    await hub.start()
    yield host
    await hub.stop()
    await running.stop()

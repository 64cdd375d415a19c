import pytest
from msgspec import UNSET

from components.logic.webhook import Inputs, Settings, signal_of, webhook
from flows.compile import check
from flows.model import NodeUse
from flows.sdk import NodeError, Signal, Wait
from flows.sdk.testing import context
from tests.flows.nodes import Log, flow, nodes

AT = "https://example.org/calls/abc"


async def test_it_waits_for_a_call_of_its_address_and_asks_no_person():
    out = await webhook.run(Settings(hours=2), Inputs(AT), context())
    assert isinstance(out, Wait) and (out.signal, out.seconds, out.asks) == (signal_of(AT), 7_200, False)


async def test_the_body_goes_on_with_query_and_headers():
    said = Signal(signal_of(AT), {"body": [1], "query": {"a": "1"}, "headers": {"x-y": "z"}})
    out = await webhook.run(Settings(), Inputs(AT, "v"), context(signal=said))
    assert not isinstance(out, Wait)
    assert (out.received, out.late, out.query, out.headers) == ([1], UNSET, {"a": "1"}, {"x-y": "z"})


async def test_a_body_that_is_nothing_goes_on_too():
    out = await webhook.run(Settings(), Inputs(AT), context(signal=Signal(signal_of(AT), {"body": None})))
    assert not isinstance(out, Wait) and out.received is None and out.late is UNSET


async def test_when_nobody_calls_the_value_goes_on_along_too_late():
    out = await webhook.run(Settings(hours=1), Inputs(AT, "v"), context(signal=Signal("time")))
    assert not isinstance(out, Wait) and (out.received, out.late, out.address) == (UNSET, "v", AT)


def test_the_host_before_an_address_does_not_matter_and_what_is_none_is_refused():
    assert signal_of(AT) == signal_of("/calls/abc") != signal_of("/calls/abd")
    for text in ("", "https://example.org", "https://example.org/calls/"):
        with pytest.raises(NodeError, match="Wire that step in"):
            signal_of(text)


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"signature": "github"}, "named"), ({"signature": "hmac", "header": "", "secret": "x"}, "header")],
)
def test_a_signature_that_nobody_could_check_is_a_problem(settings, field):
    found = check(flow(NodeUse("at", "logic.address", settings=settings)), nodes(Log()))
    assert [problem.field for problem in found] == [field]

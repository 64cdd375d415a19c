"""Doubles for tests of nodes: a Context to call a node with, a model that says what it was told, HTTP without a net.

In this project the fixture `ctx` gives `context()`; in yours: `from flows.sdk.testing import context, FakeLlm`.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import structs

from flows.sdk.capabilities import ChatReply, ChatRequest, CodeResult, HttpReply, HttpRequest, Usage
from flows.sdk.context import Context, Round, RunFacts, Signal
from flows.sdk.errors import NodeError
from flows.sdk.values import File, Json


class FakeLlm:
    """Answers from a list, in order, then the last one again. `asked` keeps every request.

    An answer is text, a ChatReply, or an exception to raise. Streams split at spaces; embeddings count letters.
    """

    def __init__(self, *answers: str | ChatReply | Exception) -> None:
        self.answers = list(answers) or ["Hello from the fake model."]
        self.asked: list[ChatRequest] = []
        self.used: Callable[[Usage], None] = lambda _: None
        """Told what each call used, as the host does it: a node that records it again counts it twice."""

    async def chat(self, request: ChatRequest) -> ChatReply:
        reply = self._reply(request)
        self.used(reply.usage)
        return reply

    def _reply(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ChatReply):
            return answer
        return ChatReply(answer, "fake/model", Usage(len(request.messages), len(answer.split())))

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        reply = await self.chat(request)
        for i, word in enumerate(reply.text.split(" ")):
            yield word if i == 0 else f" {word}"
        yield reply

    async def embed(self, texts: Sequence[str], model: str = "") -> list[list[float]]:
        return [[float(text.lower().count(chr(97 + i))) for i in range(26)] for text in texts]


class FakeHttp:
    """Answers by a function of the request, or always the same reply. `sent` keeps every request."""

    def __init__(self, reply: HttpReply | Callable[[HttpRequest], HttpReply] | None = None) -> None:
        self.reply = reply or HttpReply(200, {"content-type": "application/json"}, b"{}")
        self.sent: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        self.sent.append(request)
        return self.reply if isinstance(self.reply, HttpReply) else self.reply(request)


class FakeFiles:
    """Files in a dict."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def read(self, file: File) -> bytes:
        try:
            return self.contents[file.id]
        except KeyError:
            raise NodeError(f"The file '{file.name}' is gone. Upload it again.") from None

    async def write(self, name: str, content: bytes, media_type: str) -> File:
        id = f"file-{len(self.contents) + 1}"
        self.contents[id] = content
        return File(id, name, media_type, len(content))


class FakeSandbox:
    """Gives results from a list, in order, then the last one again. `ran` keeps code and inputs of every call."""

    def __init__(self, *results: Json | Exception) -> None:
        self.results = list(results) or [None]
        self.ran: list[tuple[str, Mapping[str, Json]]] = []

    async def python(self, code: str, inputs: Mapping[str, Json], **limits: Any) -> CodeResult:
        self.ran.append((code, inputs))
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return CodeResult(result)


class FakeCalls:
    """Addresses that nobody answers at."""

    def __init__(self, ctx: Context) -> None:
        self._key = ctx.step_key

    def address(self) -> str:
        return f"http://localhost/calls/{self._key}"


class FakeBody:
    """The steps inside a container, as one function from the inner values to a Round."""

    def __init__(self, steps: Callable[[Mapping[str, Json]], Round]) -> None:
        self.steps = steps

    async def round(self, index: int, values: Mapping[str, Json]) -> Round:
        return self.steps(values)

    async def rounds(self, values: Iterable[Mapping[str, Json]], at_once: int, stop_on_error: bool) -> list[Round]:
        done = []
        for i, value in enumerate(values):
            done.append(structs.replace(self.steps(value), index=i))
            if done[-1].last or (stop_on_error and done[-1].status == "failed"):
                break
        return done


class TestContext(Context):
    """A Context that remembers what the node said and logged. All capabilities are there, asked for or not."""

    __slots__ = ("fake_files", "fake_http", "fake_llm", "logged", "said")
    __test__ = False

    def __init__(
        self,
        input: Mapping[str, Json] | None = None,
        *,
        llm: FakeLlm | None = None,
        http: FakeHttp | None = None,
        files: FakeFiles | None = None,
        sandbox: Callable[[Context], Any] | FakeSandbox | None = None,
        signal: Signal | None = None,
        body: FakeBody | None = None,
        trigger: str = "",
    ) -> None:
        self.said: list[str] = []
        self.logged: list[str] = []
        self.fake_llm, self.fake_http, self.fake_files = llm or FakeLlm(), http or FakeHttp(), files or FakeFiles()
        facts = RunFacts(
            "test",
            input,
            trigger=trigger,
            capabilities={
                "llm": lambda _: self.fake_llm,
                "http": lambda _: self.fake_http,
                "files": lambda _: self.fake_files,
                "calls": FakeCalls,
                "sandbox": sandbox if callable(sandbox) else lambda _: sandbox or FakeSandbox(),
            },
            emit=self._heard,
        )
        super().__init__(facts, "node", needs=("llm", "http", "files", "sandbox", "calls"), signal=signal)
        self._body = body
        self.fake_llm.used = self.record

    def _heard(self, event: dict[str, Any]) -> None:
        if event["type"] == "step.token":
            self.said.append(event["text"])
        elif event["type"] == "step.log":
            self.logged.append(event["text"])


def context(input: Mapping[str, Json] | None = None, **doubles: Any) -> TestContext:
    """A Context for calling a node by hand: `await split.run(Settings(), Inputs("text"), context())`."""
    return TestContext(input, **doubles)

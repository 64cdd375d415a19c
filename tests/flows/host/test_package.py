"""A node package that is not trusted: its code runs in a box, with the powers it named and no others."""

import sys
import textwrap

import pytest

from flows.catalogue import load
from flows.compile import check, compile
from flows.express import run_express
from flows.host import bubble
from flows.host.broker import Broker, Quota
from flows.host.frames import Ask
from flows.host.package import BadPackage, nodes_of
from flows.host.pool import Missing
from flows.host.powers import powers_of
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.sdk import HttpReply, NodeError
from flows.sdk.context import RunFacts
from flows.sdk.testing import FakeFiles, FakeHttp, FakeLlm, context

pytestmark = pytest.mark.skipif(bool(bubble.unavailable()), reason=bubble.unavailable() or "there are boxes")

TOY = '''
    import os
    from typing import Annotated, Any
    from msgspec import Meta, Struct, UNSET, UnsetType
    from flows.sdk import ChatRequest, Context, File, HttpRequest, Message, NodeError, Template, lines, node

    open("/scratch/imported", "w").close()

    class Row(Struct, frozen=True):
        name: Annotated[str, Meta(title="Name")]

    class Settings(Struct, frozen=True, forbid_unknown_fields=True):
        city: Annotated[Template, Meta(title="City", description="Where."), lines(1)] = "Oslo"
        days: Annotated[int, Meta(ge=1, le=9, title="Days")] = 3
        rows: Annotated[list[Row], Meta(title="Rows")] = []

    class Inputs(Struct, frozen=True):
        word: Annotated[str, Meta(title="Word")]
        file: File | None = None

    class Outputs(Struct, frozen=True):
        text: str
        rest: list[Any]
        other: Any | UnsetType = UNSET

    @node("toy.shout", version=2, title="Shout", effect="pure", icon="megaphone")
    async def shout(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
        """Says it louder."""
        ctx.log("shouting", days=settings.days)
        ctx.say("lo")
        if inputs.word == "bad":
            raise NodeError("Nobody shouts 'bad'. Choose another word.", field="word")
        if inputs.word == "crash":
            os.kill(os.getpid(), 9)
        if inputs.word == "loop":
            while True: pass
        if inputs.word == "wrong":
            return Outputs(5, "x")
        if inputs.word == "bug":
            return 1 / 0
        return Outputs(inputs.word.upper() + " " + settings.city, [dict(os.environ), os.listdir("/"), ctx.workspace_id])

    @node("toy.fetch", version=1, title="Fetch", effect="idempotent", needs=("http", "files", "llm"), timeout=2)
    async def fetch(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
        reply = await ctx.http.send(HttpRequest("GET", "https://example.org/" + inputs.word))
        made = await ctx.files.write("../../etc/" + inputs.word, reply.body, "text/plain")
        back = await ctx.files.read(made)
        came = await ctx.files.read(inputs.file) if inputs.file else b""
        said = await ctx.llm.chat(ChatRequest([Message(inputs.word)]))
        return Outputs(back.decode(), [reply.status, made.name, came.decode(), said.text])

    @node("toy.sly", version=1, title="Sly", effect="pure")
    async def sly(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
        """Takes what it did not ask for, past the SDK."""
        from flows.host.guests.asking import Refused
        asking, tried = ctx.run.capabilities["http"](ctx)._asking, []
        for power, verb, values in [("http", "send", [{"method": "GET", "url": "https://example.org"}]),
                                    ("files", "read", [{"id": "file-1", "name": "x", "media_type": "", "size": 1}]),
                                    ("secrets", "get", ["all"]), ("run", "__globals__", []), ("run", "log", [1, 2, 3])]:
            try:
                tried.append(asking.ask(power, verb, *values))
            except Refused as refused:
                tried.append("no: " + str(refused))
        return Outputs("", tried)

    NODES = (shout, fetch, sly)
'''


@pytest.fixture
def toy(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "toy_nodes.py").write_text(textwrap.dedent(TOY))
    return folder


async def catalogue(folder, **more):
    return {kind.name: kind for kind in await nodes_of(folder, "toy_nodes", prefix="toy", **more)}


def of(kind, word, ctx, **more):
    return kind.run(kind.settings(**more.pop("settings", {})), kind.inputs(word=word, **more), ctx)


async def test_its_types_are_like_any_other_and_none_of_its_code_ran_here(toy):
    kinds = await catalogue(toy)
    shout = kinds["toy.shout"]
    assert "toy_nodes" not in sys.modules and sorted(p.name for p in toy.iterdir()) == ["toy_nodes.py"]
    assert (shout.title, shout.version, shout.description, shout.icon) == ("Shout", 2, "Says it louder.", "megaphone")
    assert [
        (port.name, port.type, port.required, port.branch) for port in (*shout.static.inputs, *shout.static.outputs)
    ] == [
        ("word", "text", True, False),
        ("file", "file", False, False),
        ("text", "text", True, False),
        ("rest", "list", True, False),
        ("other", "any", True, True),
    ]
    form = shout.settings_schema()["$defs"]["Settings"]["properties"]
    assert form["city"] | {"x-widget": "template", "title": "City", "default": "Oslo", "x-lines": 1} == form["city"]
    assert (form["days"]["minimum"], form["days"]["maximum"], form["days"]["default"]) == (1, 9, 3)
    assert form["rows"]["items"]["properties"]["name"]["title"] == "Name"
    assert kinds["toy.fetch"].needs == ("http", "files", "llm") and kinds["toy.fetch"].effect == "idempotent"


async def test_it_runs_in_a_flow_between_other_steps(toy):
    kinds = load() | await catalogue(toy)
    flow = Flow(
        [
            NodeUse("start", "start.webhook"),
            NodeUse("pick", "data.json", settings={"path": "word"}),
            NodeUse("shout", "toy.shout", version=2, settings={"city": "{{ place }}"}),
            NodeUse("end", "show.answer"),
        ],
        [
            Edge("start.body", "pick.source"),
            Edge("pick.value", "shout.word"),
            Edge("pick.value", "shout.place"),
            Edge("shout.text", "end.text"),
        ],
    )
    plan = compile(flow, kinds)
    assert isinstance(plan, Plan), plan
    record = await run_express(plan, {"body": {"word": "hello"}}, context=RunFacts("r", trigger="webhook"))
    assert record.status == "succeeded", record.fault
    assert record.output.text == "HELLO hello"
    wrong = Flow([NodeUse("s", "toy.shout", version=2, settings={"days": 99})], [])
    assert any(problem.field == "days" for problem in check(wrong, kinds))


async def test_it_has_no_environment_no_files_and_no_workspace(toy):
    ctx = context()
    out = await of((await catalogue(toy))["toy.shout"], "hi", ctx)
    environment, root, workspace = out.rest
    assert set(environment) <= {"TMPDIR", "LC_ALL", "PWD"} and workspace == ""
    assert not {"proc", "etc", "home", "tmp", "work"} & set(root)
    assert ctx.logged == ["shouting"] and ctx.said == ["lo"]


async def test_powers_it_named_are_asked_for_it_and_files_only_by_what_came_in(toy):
    files = FakeFiles()
    mine = await files.write("mine.txt", b"mine", "text/plain")
    http = FakeHttp(HttpReply(200, {}, b"fetched"))
    ctx = context(http=http, files=files, llm=FakeLlm("Said"))
    fetch = (await catalogue(toy))["toy.fetch"]
    out = await of(fetch, "a", ctx, file=mine)
    assert out.text == "fetched" and out.rest == [200, "_.._etc_a", "mine", "Said"]
    assert http.sent[0].url == "https://example.org/a"
    verbs = powers_of(ctx, fetch.inputs(word="a", file=mine), ["files"])["files"]
    assert await verbs["read"](mine) == b"mine"
    with pytest.raises(NodeError, match="did not come in with this step's inputs"):
        await verbs["read"]({"id": "file-9", "name": "x", "media_type": "", "size": 1})


async def test_powers_it_did_not_name_are_refused_even_past_the_sdk(toy):
    http = FakeHttp()
    out = await of((await catalogue(toy))["toy.sly"], "x", context(http=http))
    assert all(said.startswith("no: ") for said in out.rest), out.rest
    assert "'http' was not asked for" in out.rest[0] and "'files' was not asked for" in out.rest[1]
    assert "'secrets' was not asked for" in out.rest[2] and "has no '__globals__'" in out.rest[3] and http.sent == []


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("bad", "Nobody shouts 'bad'. Choose another word."),
        ("crash", "brought its own process down"),
        ("bug", r"met an error it does not handle: division by zero \(ZeroDivisionError\)"),
        ("wrong", "gave back what it did not promise"),
    ],
)
async def test_what_goes_wrong_in_it_fails_that_step_in_words(toy, word, says):
    with pytest.raises(NodeError, match=says) as failed:
        await of((await catalogue(toy))["toy.shout"], word, context())
    assert failed.value.field == ("word" if word == "bad" else "")


async def test_questions_are_counted_and_sized():
    async def echo(value):
        return value

    broker = Broker({"p": {"echo": echo}}, Quota(questions=3, bytes=10_000))
    assert (await broker.answer(Ask("p", "echo", ["x"]))).value == "x"
    assert "can't be asked like that" in (await broker.answer(Ask("p", "echo", []))).error
    assert "moved more than" in (await broker.answer(Ask("p", "echo", ["x" * 10_000]))).error
    assert "asked more than 3 times" in (await broker.answer(Ask("p", "echo", ["x"]))).error


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("toy.shout", "other.shout"), "must be named 'toy.'"),
        (('"toy.shout", version=2', '"toy.shout", version=2, waits=True'), "uses waits"),
        (('needs=("http", "files", "llm")', 'needs=("sandbox",)'), "not to be had in a box"),
        (("import os\n", "import os\n1 / 0\n"), r"can't be read: division by zero \(ZeroDivisionError\)"),
        (("import os\n", "import os\nos._exit(0)\n"), "can't be read"),
        (("NODES = (shout, fetch, sly)", "NODES = ()"), "offers 0 nodes"),
    ],
)
async def test_a_package_that_does_not_fit_is_refused_with_the_reason(toy, change, says):
    file = toy / "toy_nodes.py"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(BadPackage, match=says):
        await catalogue(toy)


async def test_where_there_are_no_boxes_packages_are_off(toy, monkeypatch):
    monkeypatch.setattr(bubble, "_bwrap", lambda: None)
    bubble.unavailable.cache_clear()
    try:
        with pytest.raises(Missing, match="not installed here"):
            await catalogue(toy)
    finally:
        bubble.unavailable.cache_clear()

"""Image, audio, document: files of a kind, on wires and in fields (rules 30, 34 and 35)."""

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from components.start.fields import Field, ports_for, read_fields
from flows.coerce import Misfit, coercer
from flows.compile import compile
from flows.express import run_express
from flows.ledger import MemoryLedger
from flows.model import Edge, Flow, NodeUse
from flows.problems import Problems
from flows.run import Engine
from flows.sdk import Audio, Context, Document, File, Image, NodeError, fits, node, port_type_of
from flows.sdk.context import RunFacts
from flows.sdk.values import DOCUMENTS

PHOTO = File("p", "photo.jpg", "image/jpeg", 9)
REPORT = File("r", "report.jpg", "Application/PDF; version=1", 9)


class Nothing(Struct, frozen=True): ...


class Upload(Struct, frozen=True):
    file: File
    text: str = "Dear …"
    anything: Any = None


class Picture(Struct, frozen=True):
    picture: Image


class Paper(Struct, frozen=True):
    paper: Document


class Said(Struct, frozen=True):
    text: str


@node("upload", version=1, title="Upload", effect="pure")
async def upload(settings: Upload, inputs: Nothing, ctx: Context) -> Upload:
    return settings


@node("describe", version=1, title="Describe", effect="pure")
async def describe(settings: Nothing, inputs: Picture, ctx: Context) -> Said:
    assert isinstance(inputs.picture, Image)
    return Said(f"I see {inputs.picture.name}")


@node("file.paper", version=1, title="File it", effect="pure")
async def paper(settings: Nothing, inputs: Paper, ctx: Context) -> Paper:
    assert isinstance(inputs.paper, Document)
    return Paper(inputs.paper)


@node("read", version=1, title="Read", effect="pure")
async def read(settings: Nothing, inputs: Said, ctx: Context) -> Said:
    return inputs


CATALOGUE = {kind.name: kind for kind in (upload, describe, paper, read)}


def of(file: File, *wires: str, more: Any = None) -> Flow:
    settings = {"file": msgspec.to_builtins(file), "anything": more}
    uses = [NodeUse("up", "upload", settings=settings), NodeUse("see", "describe", label="Describe it")]
    return Flow(uses, [Edge(*wire.split(">")) for wire in wires])


async def outcome(made: Flow) -> Any:
    plan = compile(made, CATALOGUE)
    if isinstance(plan, Problems):
        return str(plan)
    record = await run_express(plan, {}, context=RunFacts("r"))
    return record.fault.message if record.fault else {step.node: step.output for step in record.steps}


def test_ports_of_files_have_the_type_of_their_kind():
    assert [port_type_of(kind) for kind in (File, Image, Audio, Document)] == ["file", "image", "audio", "document"]
    assert port_type_of(Image | None) == "image" and port_type_of(list[Image]) == "list"


def test_which_kinds_a_wire_may_join():
    assert fits("file", "image") and fits("image", "file") and fits("text", "document") and fits("document", "text")
    assert not any(
        fits(*pair) for pair in [("image", "audio"), ("text", "image"), ("image", "text"), ("audio", "document")]
    )


async def test_rule_34_a_file_fits_by_its_media_type_and_not_by_its_name():
    assert (await outcome(of(PHOTO, "up.file>see.picture")))["see"].text == "I see photo.jpg"
    said = await outcome(of(REPORT, "up.file>see.picture"))
    assert said == (
        "'picture' of step 'Describe it' gets the file 'report.jpg' (Application/PDF; version=1), but needs an image. "
        "It comes from 'file' of step 'up'."
    )
    plain = msgspec.to_builtins(PHOTO)
    assert (await outcome(of(REPORT, "up.anything>see.picture", more=plain)))["see"].text == "I see photo.jpg"
    for odd in ("photo.jpg", {"name": "photo.jpg"}, 3, [plain]):
        assert "but needs an image" in await outcome(of(REPORT, "up.anything>see.picture", more=odd))
    assert "needs an image, but 'text' of step 'up' is text" in await outcome(of(PHOTO, "up.text>see.picture"))


@pytest.mark.parametrize("type", [*DOCUMENTS, "text/plain; charset=utf-8", "TEXT/HTML"])
def test_media_types_of_documents(type):
    made = coercer(File, Document)(File("x", "x", type + ("x" if type.endswith(("/", ".")) else ""), 1))
    assert isinstance(made, Document) and made.id == "x"


@pytest.mark.parametrize(
    "type", ["", "image/png", "application/zip", "application/octet-stream", "audio/mpeg", "x-text/a"]
)
def test_what_is_no_document_is_refused(type):
    with pytest.raises(Misfit, match="but needs a document"):
        coercer(File, Document)(File("x", "x", type, 1))


def test_a_kind_of_file_is_a_file_and_keeps_its_kind():
    image = Image("p", "photo.jpg", "image/jpeg", 9)
    assert coercer(Image, File)(image) is image
    assert coercer(Image, Any)(image) == msgspec.to_builtins(PHOTO)
    with pytest.raises(Misfit):
        coercer(File, Audio)(image)


async def test_rule_35_a_document_made_of_a_text_is_that_text_again():
    uses = [*of(PHOTO).nodes[:1], NodeUse("doc", "file.paper"), NodeUse("back", "read")]
    made = Flow(uses, [Edge("up.text", "doc.paper"), Edge("doc.paper", "back.text")])
    outputs = await outcome(made)
    assert outputs["doc"].paper == Document("", "text.txt", "text/plain", 8, "Dear …")
    assert outputs["back"].text == "Dear …"
    assert (await Engine(CATALOGUE, MemoryLedger()).run("r", made))["back"].text == "Dear …"
    with pytest.raises(Misfit, match=r"the file 'report.jpg' .* but needs text. A step has to read the file first"):
        coercer(Document, str)(msgspec.convert(msgspec.to_builtins(REPORT), Document))


@pytest.mark.parametrize("kind", ["image", "audio", "document"])
def test_fields_of_start_steps_ask_for_a_kind(kind):
    field = Field("it", "The thing", kind)
    assert ports_for([field]).outputs[0].type == kind
    type = {"image": "image/png", "audio": "audio/ogg", "document": "application/pdf"}[kind]
    value = {"id": "1", "name": "x", "media_type": type, "size": 1}
    made = read_fields([field], {"it": value})["it"]
    assert port_type_of(made.__class__) == kind and made.name == "x"
    with pytest.raises(NodeError, match=r"'The thing' must be an? .*'x' is application/zip\.") as refused:
        read_fields([field], {"it": {**value, "media_type": "application/zip"}})
    assert refused.value.field == "it"
    with pytest.raises(NodeError, match="'The thing' must be"):
        read_fields([field], {"it": "x"})


async def test_rule_106_what_a_step_writes_a_later_one_reads():
    kept: dict[str, bytes] = {}

    class Kept:
        async def read(self, file: File) -> bytes:
            return kept[file.id]

        async def write(self, name: str, content: bytes, media_type: str) -> File:
            kept[name] = content
            return File(name, name, media_type, len(content))

    @node("writes", version=1, title="Writes", effect="idempotent", needs=("files",))
    async def writes(settings: Nothing, inputs: Nothing, ctx: Context) -> Picture:
        file = await ctx.files.write("a.png", b"1234", "image/png")
        return Picture(msgspec.convert(msgspec.to_builtins(file), Image))

    @node("reads", version=1, title="Reads", effect="pure", needs=("files",))
    async def reads(settings: Nothing, inputs: Picture, ctx: Context) -> Said:
        return Said((await ctx.files.read(inputs.picture)).decode())

    made = Flow([NodeUse("w", "writes"), NodeUse("r", "reads")], [Edge("w.picture", "r.picture")])
    engine = Engine({"writes": writes, "reads": reads}, MemoryLedger(), capabilities={"files": lambda ctx: Kept()})
    assert (await engine.run("r", made))["r"].text == "1234"

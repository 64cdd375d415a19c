"""Values on a run's page that are more than text: the beginning of a large one, an image, a sound, what a step said."""

import struct
import zlib

import msgspec
from playwright.sync_api import expect

from app.db import system_tx
from app.runs import running
from app.runs import service as runs
from app.runs.files import files_for
from flows.model import Edge, Flow, NodeUse
from flows.sdk.context import Context, RunFacts
from tests.factories.accounts import a_person
from tests.factories.runs import a_version

SAYS = """
print("Looking through 40,000 lines")
return {"report": "Tulips, red, 40 bulbs. " * 20000, "photo": None, "call": None}
"""


def a_png(width: int = 240, height: int = 160) -> bytes:
    rows = b"".join(
        b"\0" + bytes((90 + y // 2, 120, 200 - x // 2)[i] for x in range(width) for i in range(3))
        for y in range(height)
    )

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def a_wav() -> bytes:
    sound = bytes(128 + (i % 40) for i in range(8000))
    head = struct.pack("<4sIIHHIIHH4sI", b"WAVE"[:4], 0x20746D66, 16, 1, 1, 8000, 8000, 1, 8, b"data", len(sound))
    return b"RIFF" + struct.pack("<I", len(head) + len(sound)) + head + sound


async def a_run(actor):
    """Its record is completed by hand with two files: no step of ours makes pictures."""
    flow = Flow(
        [NodeUse("in", "start.api"), NodeUse("make", "code.python", label="Make the report", settings={"code": SAYS}),
         NodeUse("answer", "show.answer")],
        [Edge("in.input", "make.value"), Edge("make.result", "answer.data")], name="Report with a photo",
    )  # fmt: skip
    _, _, version = await a_version(flow, actor.workspace_id)
    await running.start("cli")
    try:
        run_id = (await runs.answer(actor, version, {}, trigger="api")).run_id
        files = files_for(Context(RunFacts(str(run_id), workspace_id=str(actor.workspace_id)), "make"))
        photo = await files.write("tulips.png", a_png(), "image/png")
        call = await files.write("call.wav", a_wav(), "audio/wav")
        async with system_tx("test") as tx:
            output = msgspec.json.encode({"photo": photo, "call": call}).decode()
            await tx.execute("update run set output = $2::json where id = $1", run_id, output)
    finally:
        await running.stop()
    return run_id


def test_a_large_value_an_image_a_sound_and_what_a_step_said_are_looked_at(made, entered, axe, look):
    person = made(a_person())
    run_id = made(a_run(person.actor))
    page = entered(person)
    page.goto(f"/runs/{run_id}?step=make")
    panel = page.get_by_role("region", name="Make the report")
    expect(panel.get_by_text("this is its beginning")).to_be_visible()
    link = panel.get_by_role("link", name="Download all of it")
    whole = page.request.get(link.get_attribute("href"))
    assert whole.ok and whole.text().count("Tulips") == 20_000
    photo = page.get_by_role("img", name="tulips.png")
    expect(photo).to_be_visible()
    assert photo.evaluate("image => image.naturalWidth") == 240
    expect(page.locator("audio")).to_be_visible()
    axe(page)
    look(page, "run-large-value")
    panel.get_by_role("link", name="Log").click()
    expect(page.get_by_text("Looking through 40,000 lines")).to_be_visible()
    axe(page)
    look(page, "run-log")

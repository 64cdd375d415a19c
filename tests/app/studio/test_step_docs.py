"""What the pages about steps say is what the code says; every example can be run as it stands."""

import re
from pathlib import Path
from typing import Annotated

import pytest
from click.testing import CliRunner
from msgspec import Meta, Struct

from app.cli import cli
from app.embedded.errors import StartProblem
from app.studio.queries import problems_of
from app.studio.step_docs import all_docs, doc, doc_of
from app.studio.step_examples import example_of
from app.studio.step_markdown import pages
from flows import catalogue
from flows.sdk import Context, NodeError, node

KINDS = catalogue.load()
DOCS = Path(__file__).parents[3] / "docs" / "steps"


class Settings(Struct, frozen=True):
    size: Annotated[int, Meta(ge=1, le=100, title="Size", description="How large | it is.")] = 10


class Inputs(Struct, frozen=True):
    text: str


class Outputs(Struct, frozen=True):
    text: str


@node("acme.shout", version=3, title="Shout", effect="pure")
async def shout(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Makes text LOUD. Nothing else.

    More about it.

    Raises NodeError(field="size") when it is too large.
    """
    if len(inputs.text) > settings.size:
        raise NodeError(f"The text has {len(inputs.text)} letters. Raise 'Size'.", field="size")
    return Outputs(inputs.text.upper())


def test_a_page_is_put_together_from_the_code_of_anybodys_step():
    found = doc_of(shout)
    assert (found.sentence, found.what) == ("Makes text LOUD.", "Makes text LOUD. Nothing else.\n\nMore about it.")
    assert found.raises == ('Raises NodeError(field="size") when it is too large.',)
    assert [(r.text, r.setting) for r in found.refusals] == [("The text has … letters. Raise 'Size'.", "Size")]
    size = found.settings[0]
    assert (size.label, size.kind, size.default, size.limits) == ("Size", "number", "10", "1 to 100")
    assert [(p.name, p.type, p.needed) for p in found.inputs] == [("text", "text", True)]
    assert (found.version, found.package) == (3, "tests")
    text = pages([found])["acme.shout.md"]
    assert "| Size | number (1 to 100) | 10 | How large \\| it is. |" in text and "# Shout" in text


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_step_says_what_it_does_and_its_example_has_nothing_left_to_fix(name):
    found = doc(name)
    assert found is not None and len(found.sentence) > 12 and found.sentence.endswith(".")
    example = example_of(KINDS[name])
    if example is None:
        assert KINDS[name].subflow or KINDS[name].trigger == "after"
        return
    assert any(step.type == name for step in example.nodes)
    assert [problem.message for problem in problems_of(example) if problem.severity == "error"] == []
    places = [(step.x, step.y, step.parent) for step in example.nodes]
    assert len(set(places)) == len(places), "steps lie on each other"


def test_the_public_pages_are_as_the_code_says():
    wanted = pages(all_docs())
    there = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    differing = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    assert not differing, "`agentbase docs` writes them anew."


def test_the_command_writes_checks_and_clears(tmp_path):
    run = CliRunner().invoke
    assert "pages in" in run(cli, ["docs", str(tmp_path)]).output
    assert run(cli, ["docs", "--check", str(tmp_path)]).exit_code == 0
    (tmp_path / "logic.if.md").write_text("old")
    (tmp_path / "gone.md").write_text("gone")
    failed = run(cli, ["docs", "--check", str(tmp_path)])
    assert isinstance(failed.exception, StartProblem) and "2 pages" in failed.exception.message
    assert "2 changed" in run(cli, ["docs", str(tmp_path)]).output
    assert not (tmp_path / "gone.md").exists()


async def test_the_pages_are_found_read_and_searched(signed_in):
    listed = await signed_in.get("/steps")
    assert listed.status_code == 200 and "Language model" in listed.text and "Approval" in listed.text
    assert "Language model" not in (await signed_in.get("/steps?q=approval")).text
    assert "No step is called" in (await signed_in.get("/steps?q=<script>alert(1)")).text
    page = await signed_in.get("/steps/logic.if")
    assert "Sends the value along" in page.text and "must give true or false" in page.text
    assert (await signed_in.get("/steps/acme.nothing")).status_code == 404
    assert "/steps/logic.wait" in (await signed_in.get("/palette?q=wait")).text


async def test_an_example_opens_as_a_flow_of_ones_own(signed_in):
    made = await signed_in.post("/steps/logic.if/example")
    assert made.status_code == 303 and re.fullmatch(r"/flows/[0-9a-f-]{36}", made.headers["location"])
    assert "Example: If" in (await signed_in.get(made.headers["location"])).text
    assert (await signed_in.post("/steps/logic.flow/example")).status_code == 404
    assert (await signed_in.post("/steps/acme.nothing/example")).status_code == 404

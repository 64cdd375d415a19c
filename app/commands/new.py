"""`agentbase new node acme.weather`, `agentbase new flow "Greet somebody"`: a working example with its test."""

import re
from pathlib import Path

import click

from flows.files import write_flow
from flows.model import Edge, Flow, NodeUse

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*")

PROJECT = """\
[project]
name = "{package}-nodes"
version = "0.1.0"
description = "{title}: a node for Agentbase."
requires-python = ">=3.11"
dependencies = ["msgspec>=0.22"]

# Agentbase finds the nodes by this entry point once the package is installed beside it: uv pip install -e .
[project.entry-points."agentbase.nodes"]
{package} = "{module}"

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]

[tool.pytest.ini_options]
anyio_mode = "auto"
pythonpath = ["."]
"""

INIT = '''\
"""Nodes of {package}. What stands in NODES appears in the palette."""

from {module}.{node} import {node}

NODES = ({node},)
'''

NODE = '''\
"""{name}: {title}."""

from typing import Annotated

from flows.sdk import Context, NodeError, node
from msgspec import Meta, Struct


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    greeting: Annotated[str, Meta(title="Greeting", description="Comes before the name.", max_length=100)] = "Hello"


class Inputs(Struct, frozen=True):
    name: str


class Outputs(Struct, frozen=True):
    text: str


@node("{name}", version=1, title="{title}", effect="pure", icon="sparkles", family="data")
async def {node}(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Greet somebody by name.

    Raises NodeError when the name is empty.
    """
    if not inputs.name.strip():
        raise NodeError("There is no name to greet. Wire a text into 'name'.", field="name")
    return Outputs(text=f"{{settings.greeting}}, {{inputs.name.strip()}}!")
'''

TEST = """\
import pytest
from flows.sdk import NodeError
from flows.sdk.testing import context

from {module}.{node} import Inputs, Settings, {node}


async def test_it_greets_by_name():
    out = await {node}.run(Settings(greeting="Good morning"), Inputs(name=" Ada "), context())
    assert out.text == "Good morning, Ada!"


async def test_nobody_is_not_greeted():
    with pytest.raises(NodeError, match="no name to greet"):
        await {node}.run(Settings(), Inputs(name=" "), context())
"""

README = """\
# {title}

A node for Agentbase. Try it:

    uv pip install -e .          # into the environment of Agentbase
    python -m pytest             # its tests
    agentbase up --reload        # it is in the palette
"""


FLOW_TEST = '''\
"""Runs the flow as `agentbase run` does: no server, nothing stored."""

import json
import subprocess
from pathlib import Path

FLOW = Path(__file__).parents[1] / "flow.json"


def answer(**given: object) -> str:
    done = subprocess.run(
        ["agentbase", "run", str(FLOW), "--input", json.dumps(given)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_it_greets_by_name():
    assert answer(name="Ada") == "Hello, Ada!"
'''

FLOW_README = """\
# {title}

A flow for Agentbase.

    agentbase check .                                     # what is wrong with it
    agentbase run flow.json --input '{{"name": "Ada"}}'
    python -m pytest                                      # its test
    agentbase import flow.json                            # into this installation; --update when it is there already
"""


def greeting(name: str) -> Flow:
    """A flow of two steps that needs no model: somebody's name in, a greeting out."""
    fields = [{"name": "name", "label": "Name", "kind": "text"}]
    return Flow(
        name=name,
        description="Greets somebody by name.",
        nodes=[
            NodeUse("call", "start.api", settings={"fields": fields}, x=48, y=96),
            NodeUse("greet", "show.answer", settings={"text": "Hello, {{ name }}!"}, x=368, y=96),
        ],
        edges=[Edge("call.name", "greet.name")],
    )


@click.group("new")
def command() -> None:
    """Start a new node or flow from a working example."""


IN = click.option(
    "--in", "place", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where to put it."
)


@command.command("node")
@click.argument("name")
@IN
def node(name: str, place: Path) -> None:
    """Make a package with one node called NAME, such as acme.weather: your own word, a dot, what it does."""
    if not NAME.fullmatch(name):
        raise click.BadParameter(
            f"'{name}' can't be a node's name. Expected your word, a dot and what it does, such as acme.weather.",
            param_hint="NAME",
        )
    package, _, step = name.partition(".")
    words = {
        "name": name,
        "package": package,
        "module": f"{package}_nodes",
        "node": step,
        "title": step.replace("_", " ").capitalize(),
    }
    files = {
        "pyproject.toml": PROJECT,
        "README.md": README,
        f"{words['module']}/__init__.py": INIT,
        f"{words['module']}/{step}.py": NODE,
        f"tests/test_{step}.py": TEST,
    }
    folder = place / f"{package}-{step.replace('_', '-')}"
    _write(folder, {path: text.format(**words) for path, text in files.items()})
    click.echo(f"{folder} is made. Next: cd {folder} && uv pip install -e . && python -m pytest")


@command.command("flow")
@click.argument("name")
@IN
def flow(name: str, place: Path) -> None:
    """Make a folder with a flow called NAME, such as "Greet somebody", and its test."""
    slug = re.sub(r"[^\w]+", "-", name.lower()).strip("-_")
    if not slug or len(name) > 120:
        raise click.BadParameter("Expected a name of 1 to 120 characters, such as 'Greet somebody'.", param_hint="NAME")
    files = {
        "flow.json": write_flow(greeting(name)),
        "README.md": FLOW_README.format(title=name),
        "tests/test_flow.py": FLOW_TEST,
    }
    _write(place / slug, files)
    click.echo(f"{place / slug} is made. Next: cd {place / slug} && agentbase check . && python -m pytest")


def _write(folder: Path, files: dict[str, str]) -> None:
    if folder.exists():
        raise click.UsageError(f"{folder} is already there. Choose another name, or --in another folder.")
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

"""The rules of tests/borders.py catch what they are for; `make check` then applies them to the real code."""

import re
import tomllib
from pathlib import Path

import grimp
import pytest

from tests.borders import DoorsContract, OnlyContract, PlacesContract


def graph(*imports: str) -> grimp.ImportGraph:
    """A graph of sentences "importer > imported"."""
    result = grimp.ImportGraph()
    for sentence in imports:
        importer, imported = sentence.split(" > ")
        for module in (importer, imported):
            if module not in result.modules:
                result.add_module(module)
        result.add_import(importer=importer, imported=imported)
    return result


def judged(contract, graph: grimp.ImportGraph) -> list[str]:
    check = contract.check(graph, verbose=False)
    assert check.kept == (not check.metadata["broken"])
    return check.metadata["broken"]


def doors() -> DoorsContract:
    options = {"kernel": ["app.db", "app.web"], "roots": ["app.main"]}
    return DoorsContract(name="doors", session_options={}, contract_options=options)


@pytest.mark.parametrize(
    "sentence",
    [
        "app.studio.controllers > app.runs.service",
        "app.studio.controllers > app.runs.queries",
        "app.studio.queries > app.studio.tables",
        "app.studio.service.drafts > app.studio.tables",
        "app.studio.forms > app.db",
        "app.studio.forms > app.web.actor",
        "app.main > app.studio.controllers",
        "app.studio.service > flows.compile",
    ],
)
def test_the_doors_are_open(sentence):
    assert judged(doors(), graph(sentence)) == []


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("app.studio.service > app.runs.tables", "enter app.runs by its service or its queries"),
        ("app.studio.service > app.runs.policy", "enter app.runs by its service or its queries"),
        ("app.studio.controllers > app.studio.tables", "tables are for"),
        ("app.web.session > app.accounts.tables", "enter app.accounts"),
    ],
)
def test_everything_else_is_a_wall(sentence, said):
    (broken,) = judged(doors(), graph(sentence))
    assert said in broken and sentence.split(" > ")[0] in broken


def test_a_component_that_reaches_past_the_sdk_is_caught():
    only = OnlyContract(
        name="only", session_options={}, contract_options={"importer": "components", "only": ["flows.sdk", "msgspec"]}
    )
    fine = graph("components.text.split > flows.sdk", "components.text.split > msgspec", "components.text.split > math")
    assert judged(only, fine) == []
    assert judged(only, graph("components.text.split > flows.run"))
    assert judged(only, graph("components.text.split > httpx"))


def test_a_library_outside_its_place_is_caught():
    places = PlacesContract(
        name="places", session_options={}, contract_options={"places": ["networkx -> flows.compile, flows.draw"]}
    )
    assert judged(places, graph("flows.compile > networkx", "flows.draw.lines > networkx")) == []
    assert "only flows.compile and flows.draw may" in judged(places, graph("app.studio.service > networkx"))[0]


ROOT = Path(__file__).parents[2]


def test_the_picture_of_the_house_shows_every_domain_at_its_rank():
    picture = (ROOT / "docs/architecture.md").read_text().partition("│ ┌")[2].partition("├─────")[0]
    drawn = [set(row.split()) for row in re.findall(r"│ │ ([a-z ]+) │ [│├]", picture)]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    there = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    held = [set(re.findall(r"[a-z]+", layer)) & there for layer in layers[1:-1]]
    assert drawn == [names for names in held if names]

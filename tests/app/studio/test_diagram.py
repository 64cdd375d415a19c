from dataclasses import dataclass

from app.studio.diagram import HEIGHT, TILE, WIDTH, diagram
from flows.model import Edge, Flow, NodeUse


@dataclass
class Kind:
    title: str
    icon: str = "zap"
    family: str = "data"


KINDS = {name: Kind(name) for name in "abcdef"} | {"note": Kind("note", family="note")}


def _flow(wires: str, **y: float) -> Flow:
    names = sorted({name for wire in wires.split() for name in wire.split(">")})
    edges = [Edge(f"{a}.out", f"{b}.in") for a, b in (wire.split(">") for wire in wires.split() if ">" in wire)]
    return Flow([NodeUse(id=name, type=name, y=y.get(name, 0)) for name in names], edges)


def _at(picture, title):
    return next((spot.x, spot.y) for spot in picture.spots if spot.title == title)


def test_a_step_stands_right_of_everything_that_leads_to_it():
    picture = diagram(_flow("a>b b>c a>c"), KINDS)
    assert _at(picture, "a")[0] < _at(picture, "b")[0] < _at(picture, "c")[0]


def test_a_wire_that_passes_a_step_does_not_run_behind_it():
    picture = diagram(_flow("a>b b>d a>c c>d a>d", b=0, c=90), KINDS)
    middle = {spot.y for spot in picture.spots if spot.title in "bc"}
    assert len(middle) == 2 and HEIGHT / 2 in {*middle, 50.0}
    assert all(
        TILE / 2 <= spot.y <= HEIGHT - TILE / 2 and TILE / 2 <= spot.x <= WIDTH - TILE / 2 for spot in picture.spots
    )


def test_branches_keep_the_order_in_which_they_were_drawn():
    picture = diagram(_flow("a>b a>c", b=200, c=10), KINDS)
    assert _at(picture, "c")[1] < _at(picture, "b")[1]


def test_what_does_not_fit_is_counted_and_said():
    long = Flow([NodeUse(str(n), "a") for n in range(9)], [Edge(f"{n}.o", f"{n + 1}.i") for n in range(8)])
    picture = diagram(long, KINDS)
    assert (len(picture.spots), picture.more) == (6, 3)
    assert picture.words.endswith("and 3 more")


def test_notes_and_the_inside_of_containers_are_left_out_and_a_loop_is_no_trap():
    flow = _flow("a>b b>a")
    flow.nodes += [NodeUse("n", "note"), NodeUse("x", "c", parent="a")]
    assert {spot.title for spot in diagram(flow, KINDS).spots} <= {"a", "b"}
    assert diagram(Flow(), KINDS).words == "No steps yet"


def test_a_step_of_a_missing_package_still_has_its_tile():
    picture = diagram(Flow([NodeUse("1", "acme.weather", label="Ask the sky")]), KINDS)
    assert picture.spots[0].title == "Ask the sky" and picture.spots[0].family == ""

"""Large flows: only what is near the view takes part in layout, and nobody notices. And fingers: pinch, two-finger
pan, drag, a box after a rest; driven by real touch events of the browser.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.canvas_hands import ready, saved
from tests.browser.conftest import PHONE
from tests.factories.studio import a_document, a_flow, a_large_document

STEPS = 200
VIEW = "() => { const { x, y, k } = document.querySelector('flow-canvas').view; return { x, y, k } }"
IN_LAYOUT = "() => [...document.querySelectorAll('.canvas__world > .node')].filter((n) => n.checkVisibility()).length"


def at(page: Page, id: str, zoom: float = 1) -> None:
    """The view onto one step, as after looking around."""
    page.evaluate(
        """([id, k]) => { const c = document.querySelector('flow-canvas'), n = c.graph.nodes.get(id);
        c.view.auto = false; c.view.k = k; c.view.x = 400 - n.ax * k; c.view.y = 300 - n.ay * k; c.view.settle();
        c.view.draw() }""",
        [id, zoom],
    )


DRAWN = """() => {
    const c = document.querySelector("flow-canvas"), { x, y, k } = c.view, wires = c.wires
    const box = wires.getBoundingClientRect()
    const here = c.getBoundingClientRect(), ink = wires.getContext('2d')
    return [...c.graph.edges.values()].map((e) => {
        const at = { x: (e.x1 + 3 * e.cx1 + 3 * e.cx2 + e.x2) / 8, y: (e.y1 + e.y2) / 2 }
        const on = [here.left + x + at.x * k - box.left, here.top + y + at.y * k - box.top]
        const px = on.map((n, i) => Math.round(n * (i ? wires.height / box.height : wires.width / box.width)))
        return ink.getImageData(px[0] - 2, px[1] - 2, 5, 5).data.some((n) => n > 0)
    }) }"""
"""For each wire: whether there is ink where its middle is on the screen."""


@pytest.mark.parametrize("size", [None, PHONE])
def test_wires_are_drawn_from_port_to_port_also_after_the_view_moved(page, made, mara, size):
    if size:
        page.set_viewport_size(size)
    page.goto(f"/flows/{made(a_flow(mara, a_document()))}")
    ready(page)
    drawn = page.evaluate(DRAWN)
    assert drawn and all(drawn)
    page.mouse.move(250, 500)
    page.mouse.wheel(40, 60)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert all(page.evaluate(DRAWN))


def test_of_a_large_flow_only_the_steps_near_the_view_are_laid_out_and_keys_reach_all(page, made, mara):
    page.goto(f"/flows/{made(a_flow(mara, a_large_document(STEPS, STEPS)))}")
    ready(page)
    at(page, "n5", 0.45)  # so many cards are drawn as pictures from here on, with their names
    expect(page.locator('flow-canvas[data-zoom="far"]')).to_be_attached()
    assert page.evaluate("document.querySelector('flow-canvas').graph.nodes.get('n5').drawn.lines") == ["Prompt"]
    at(page, "n5")
    far = page.locator("#node-n195")
    expect(page.locator("#node-n5")).to_be_visible()
    expect(far).to_be_hidden()
    assert page.evaluate(IN_LAYOUT) < STEPS / 2
    page.locator("#node-n5").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("#node-n6")).to_be_focused()
    page.evaluate("() => document.querySelector('flow-canvas').jump('n195')")
    expect(far).to_be_in_viewport()
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_be_visible()
    page.mouse.move(700, 500)
    for _ in range(7):
        page.mouse.wheel(0, -200)
    expect(page.locator("#node-n125")).to_be_in_viewport()
    page.keyboard.press("Escape")
    at(page, "n5")
    page.locator("#node-n5").focus()
    page.keyboard.press("Delete")
    saved(page)
    expect(page.locator("#node-n5")).to_have_count(0)


def touch(cdp, kind: str, *points: tuple[float, float]) -> None:
    fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers})


@pytest.fixture
def fingers(opened, session_of_mara, made, mara):
    page = opened(storage_state=session_of_mara, has_touch=True, viewport=PHONE)
    page.goto(f"/flows/{made(a_flow(mara, a_document()))}")
    ready(page)
    return page, page.context.new_cdp_session(page)


def test_two_fingers_zoom_and_move_the_view(fingers):
    page, cdp = fingers
    before = page.evaluate(VIEW)
    touch(cdp, "Start", (150, 600), (250, 600))
    for i in range(1, 9):
        touch(cdp, "Move", (150 - 8 * i, 600), (250 + 8 * i, 600))
    touch(cdp, "End")
    wider = page.evaluate(VIEW)
    assert wider["k"] == pytest.approx(before["k"] * 228 / 100, rel=0.15)
    touch(cdp, "Start", (150, 600), (250, 600))
    for i in range(1, 9):
        touch(cdp, "Move", (150, 600 - 10 * i), (250, 600 - 10 * i))
    touch(cdp, "End")
    moved = page.evaluate(VIEW)
    assert moved["k"] == pytest.approx(wider["k"], rel=0.02)
    assert moved["y"] == pytest.approx(wider["y"] - 80, abs=14)


def test_a_finger_drags_a_step_and_undo_brings_it_back(fingers):
    page, cdp = fingers
    box = page.locator("#node-ask").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + min(30, box["height"] / 3)
    touch(cdp, "Start", (x, y))
    for i in range(1, 9):
        touch(cdp, "Move", (x, y + 10 * i))
    touch(cdp, "End")
    saved(page)
    now = page.locator("#node-ask").bounding_box()
    assert now["y"] == pytest.approx(box["y"] + 80, abs=20)


def test_a_finger_on_the_ground_moves_the_view_and_after_a_rest_draws_a_box(fingers):
    page, cdp = fingers
    before = page.evaluate(VIEW)
    touch(cdp, "Start", (200, 620))
    for i in range(1, 6):
        touch(cdp, "Move", (200, 620 - 12 * i))
    touch(cdp, "End")
    assert page.evaluate(VIEW)["y"] == pytest.approx(before["y"] - 60, abs=14)
    page.evaluate("() => document.querySelector('flow-canvas').fit(true)")
    touch(cdp, "Start", (60, 700))
    expect(page.locator("flow-canvas[data-boxing]")).to_be_attached()
    for i in range(1, 9):
        touch(cdp, "Move", (60 + 40 * i, 700 - 80 * i))
    expect(page.locator(".overlay__box")).to_have_attribute("visibility", "visible")
    touch(cdp, "End")
    expect(page.locator("[data-selected]")).to_have_count(3)


def test_on_a_phone_runs_tests_and_triggers_are_in_the_menu_of_the_flow(fingers, axe):
    page, _ = fingers
    axe(page)
    views = page.get_by_role("navigation", name="Views of this flow")
    expect(views.get_by_role("link")).to_have_count(2)
    page.get_by_role("button", name="More for this flow").click()
    for name in ("Runs", "Tests", "Triggers"):
        expect(page.get_by_role("menuitem", name=name, exact=True)).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(views.get_by_role("link")).to_have_count(5)
    expect(page.get_by_role("menuitem", name="Runs", exact=True)).to_be_hidden()

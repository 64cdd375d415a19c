"""What the tests of the canvas do with mouse and keys, said once."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect


def ready(page: Page) -> None:
    expect(page.locator("flow-canvas[data-ready]")).to_be_attached()


def reloaded(page: Page) -> Page:
    page.reload()
    ready(page)
    return page


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """What no locator can say: looked at once a frame, 300 times at most."""
    for _ in range(300):
        if condition():
            return
        page.evaluate("() => new Promise(requestAnimationFrame)")
    assert condition()


def step(page: Page, name: str) -> Any:
    return page.get_by_role("group", name=name, exact=True)


def port(page: Page, name: str, side: str, label: str) -> Any:
    return (
        step(page, name)
        .locator(f'.node__port[data-side="{side}"]', has_text=re.compile(f"^{label}$"))
        .locator(".shape")
    )


def wires(page: Page) -> list[str]:
    """As the document names them: node.port>node.port."""
    found: list[str] = page.evaluate("[...document.querySelector('flow-canvas').graph.edges.keys()].sort()")
    return found


def saved(page: Page) -> None:
    expect(page.locator('[data-part="save-state"]')).to_have_text("Saved")


def middle(locator: Any) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pull(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def drag(page: Page, start: Any, end: Any, drop: bool = True) -> None:
    """From the middle of one thing to the middle of another."""
    found: list[Any] = []

    def both() -> bool:
        """A card that was just added is put in place once more, and has no box for that moment."""
        found[:] = [start.bounding_box(), end.bounding_box()]
        return None not in found

    eventually(page, both)
    a, b = found
    page.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
    page.mouse.down()
    page.mouse.move(b["x"], b["y"], steps=6)
    page.mouse.move(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2, steps=3)
    if drop:
        page.mouse.up()


def paste(page: Page, text: str) -> None:
    """As the browser would after Ctrl V, whatever its clipboard holds."""
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData('text/plain', text);
        const paste = { clipboardData: data, bubbles: true, cancelable: true };
        document.dispatchEvent(new ClipboardEvent('paste', paste)) }""",
        text,
    )

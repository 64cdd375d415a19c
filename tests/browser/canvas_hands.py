"""What the tests of the canvas do with mouse and keys, said once."""

import re
from typing import Any

from playwright.sync_api import Page, expect


def ready(page: Page) -> None:
    expect(page.locator("flow-canvas[data-ready]")).to_be_attached()


def step(page: Page, name: str) -> Any:
    return page.get_by_role("group", name=name, exact=True)


def port(page: Page, name: str, side: str, label: str) -> Any:
    return (
        step(page, name)
        .locator(f'.node__port[data-side="{side}"]', has_text=re.compile(f"^{label}$"))
        .locator(".shape")
    )


def wires(page: Page) -> list[str]:
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


def paste(page: Page, text: str) -> None:
    """As the browser would after Ctrl V, whatever its clipboard holds."""
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData('text/plain', text);
        const paste = { clipboardData: data, bubbles: true, cancelable: true };
        document.dispatchEvent(new ClipboardEvent('paste', paste)) }""",
        text,
    )

"""How the canvas feels with 1,000 steps and 1,500 wires, then with twice as many; headless Chromium, drawn in software.

Frames are counted by requestAnimationFrame while a real pointer drags, pans and zooms; the figure is the median frame.
`cpu` is what the page's own process spends on a frame: other work on the machine halves frames, but hardly this. Panels
and typing are timed inside the page, from the press to the moment in which it shows the result.
"""

import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from playwright.sync_api import Page, expect, sync_playwright

from app import config, db
from tests.bench.figure import Figure
from tests.browser.live import EMAIL, PASSWORD, Product
from tests.browser.people import owner
from tests.doubles.openai_server import FakeOpenAI
from tests.factories.studio import a_flow, a_large_document
from tests.servers import Servers

STEPS, WIRES = 1_000, 1_500
MANY_STEPS, MANY_WIRES = 2_000, 3_000
FOCUS = "() => document.querySelector('flow-canvas').focusNode('n335')"
RECORD = """() => { window.frames_ = []; let last = performance.now(); window.recording_ = true;
  const tick = (now) => { frames_.push(now - last); last = now; if (recording_) requestAnimationFrame(tick) };
  requestAnimationFrame(tick) }"""
SAVED = """async letter => { const chip = document.querySelector('[data-part="save-state"]');
  const field = document.activeElement; let began = 0;
  const saved = new Promise(done => new MutationObserver((_, me) => { if (began && chip.dataset.state === 'saved') {
    me.disconnect(); done() } }).observe(chip, { attributes: true }));
  began = performance.now(); document.execCommand('insertText', false, letter);
  await saved; return performance.now() - began }"""
OPENED = """async id => { const began = performance.now(); await document.querySelector('flow-canvas').openPanel(id);
  await new Promise(requestAnimationFrame); return performance.now() - began }"""
COPIED = """async ids => { const c = document.querySelector('flow-canvas'), began = performance.now();
  await c.clipboard.copy(ids); return performance.now() - began }"""
AT_45 = "() => { const v = document.querySelector('flow-canvas').view; v.zoom(0.45 / v.k) }"
STOP = "() => { recording_ = false; return frames_.slice(2) }"


def figures() -> Iterator[Figure]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        print("canvas: Chromium is not here; apt install chromium", file=sys.stderr)
        return
    servers = Servers()
    try:
        with FakeOpenAI.running() as model:
            product = Product(servers.addresses(), model.url, worker=False)
            try:
                flow_id, large_id = _made(product, STEPS, WIRES), _made(product, MANY_STEPS, MANY_WIRES)
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                    page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=product.live.url)
                    _sign_in(page)
                    yield from _measured(page, flow_id)
                    yield from _many(page, large_id)
                    browser.close()
            finally:
                product.stop()
    finally:
        servers.stop()


def _made(product: Product, steps: int, wires: int) -> UUID:
    live = product.live

    async def make() -> UUID:
        with config.using(
            data=Path(live.folder),
            port=live.port,
            database_url=config.Secret(live.addresses.login),
            database_owner_url=config.Secret(live.addresses.owner),
            redis_url=config.Secret(live.addresses.redis),
            secret_key=config.Secret(live.settings["secret_key"]),
        ):
            await db.start("cli")
            try:
                return await a_flow(await owner(), a_large_document(steps, wires))
            finally:
                await db.stop()

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, make()).result()


def _sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("Your e-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def _opened(page: Page, flow_id: UUID) -> float:
    opened = []
    for _ in range(3):
        began = time.perf_counter()
        page.goto(f"/flows/{flow_id}")
        page.locator("flow-canvas[data-ready]").wait_for(state="attached")
        opened.append(1000 * (time.perf_counter() - began))
    return statistics.median(opened)


def _many(page: Page, flow_id: UUID) -> Iterator[Figure]:
    """Twice as many steps: no goal of the product, a figure of what is still usable."""
    yield Figure("canvas_open_2000_steps", _opened(page, flow_id), "ms", 3000)
    page.locator('[data-canvas="fit"]').click()
    yield from _frames(page, "canvas_zoom_2000_steps", _zoom, 30)
    page.evaluate(FOCUS)
    page.keyboard.press("1")
    page.wait_for_timeout(600)
    yield from _frames(page, "canvas_pan_2000_steps", _pan, 40)
    yield from _frames(page, "canvas_drag_2000_steps", _drag, 40)


def _measured(page: Page, flow_id: UUID) -> Iterator[Figure]:
    yield Figure("canvas_open_1000_steps", _opened(page, flow_id), "ms", 1500)

    yield from _frames(page, "canvas_pan_everything_1000_steps", _pan, 50)
    page.locator('[data-canvas="fit"]').click()
    yield from _frames(page, "canvas_zoom_1000_steps", _zoom, 45)
    page.keyboard.press("Escape")
    page.evaluate(FOCUS)
    page.keyboard.press("1")
    page.wait_for_timeout(600)
    yield from _frames(page, "canvas_pan_1000_steps", _pan, 50)
    yield from _frames(page, "canvas_drag_1000_steps", _drag, 50)
    page.evaluate(AT_45)
    page.wait_for_timeout(600)
    yield from _frames(page, "canvas_pan_at_45_percent_1000_steps", _pan, 50)
    page.keyboard.press("1")
    expect(page.locator('[data-part="save-state"]')).to_have_text("Saved")

    times = []
    for id in ("n345", "n346", "n355", "n356", "n345"):
        times.append(page.evaluate(OPENED, id))
        page.locator(".step-panel:has([data-title])").first.wait_for()
    yield Figure("canvas_open_panel_1000_steps", statistics.median(times), "ms", 100)

    times = [page.evaluate(COPIED, [f"n{i}" for i in range(340, 350)]) for _ in range(6)][1:]
    yield Figure("canvas_copy_10_of_1000_steps", statistics.median(times), "ms", 100)

    page.get_by_role("textbox", name="Prompt", exact=True).click()
    times = [page.evaluate(SAVED, letter) for letter in "otwhre"][1:]
    yield Figure("canvas_typed_to_saved_1000_steps", statistics.median(times), "ms", 150)


def _frames(page: Page, name: str, act: Any, goal: float) -> Iterator[Figure]:
    renderers = [p for p in psutil.Process().children(recursive=True) if "--type=renderer" in " ".join(p.cmdline())]
    busy = sum(sum(p.cpu_times()[:2]) for p in renderers)
    page.evaluate(RECORD)
    act(page)
    frames = page.evaluate(STOP)
    busy = sum(sum(p.cpu_times()[:2]) for p in renderers) - busy
    yield Figure(name, 1000 / statistics.median(frames), "fps", goal)
    yield Figure(f"{name}.cpu", 1000 * busy / len(frames), "ms a frame")


def _pan(page: Page) -> None:
    page.mouse.move(700, 860)
    page.mouse.down(button="middle")
    for i in range(60):
        page.mouse.move(700 - (i % 30) * 12, 860 - (i % 30) * 8)
    page.mouse.up(button="middle")


def _drag(page: Page) -> None:
    page.evaluate(FOCUS)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")  # brings it into view
    page.wait_for_timeout(500)
    box = page.locator("#node-n335").bounding_box()
    assert box is not None
    x, y = box["x"] + 90, box["y"] + 30
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(60):
        page.mouse.move(x + (i % 30) * 6, y + (i % 20) * 6)
    page.mouse.up()


def _zoom(page: Page) -> None:
    page.mouse.move(700, 450)
    page.keyboard.down("Control")
    for i in range(40):
        page.mouse.wheel(0, -60 if i < 20 else 60)
    page.keyboard.up("Control")

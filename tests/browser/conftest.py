"""Chromium against the real product. What a browser test may name:

`live`        where it runs (tests/browser/live.py); one for the whole session, with an owner, Mara.
`page`        a page in which Mara is signed in. Any console error or uncaught exception fails the test.
`stranger`    the same without a session.
`entered`     entered(person) is a page of somebody whom made(a_person()) made, in a workspace of their own.
`look`        look(page, "home") takes light, dark and 390 px pictures into tests/browser/shots/.
`axe`         axe(page) fails on any accessibility violation, in both modes.
`made`        made(a_flow(…)) awaits a factory against the database of `live`.
`mara`        the owner as an actor, for factories.
`opened_flow` opened_flow(document) is `page` with a new flow of Mara's on the canvas.
`expected`    a list of texts: console errors that this test provokes on purpose (a refused form answers 422).

Wait on locators: `wait_for_function` polls with eval, which our CSP forbids.
"""

import json
import os
import shutil
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from app import config
from app.web import Actor
from app.web.session import COOKIE
from flows.model import Flow
from tests.browser.canvas_hands import ready
from tests.browser.live import EMAIL, PASSWORD, ROOT, Live, Product
from tests.browser.people import owner
from tests.doubles.openai_server import FakeOpenAI
from tests.factories.studio import a_flow
from tests.servers import Addresses

SHOTS = Path(__file__).parent / "shots"
AXE = ROOT / "tests" / "vendor" / "axe.min.js"
"""axe-core 4.14.1 (MPL-2.0, its licence beside it)."""
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
HERE = Path(__file__).parent

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _without(sentence: str) -> NoReturn:
    """On somebody's own machine the browser tests are left out; where CI is set, green must mean that they ran."""
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def product(servers: Addresses, _fake_openai: FakeOpenAI) -> Iterator[Product]:
    running = Product(servers, _fake_openai.url)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _model_without_a_script(_fake_openai: FakeOpenAI) -> None:
    """What one test made the model say, the next must not hear: the product is shared."""
    _fake_openai.reset()


@pytest.fixture(scope="session")
def live(product: Product) -> Live:
    return product.live


@pytest.fixture
def settings(live: Live) -> Iterator[config.Settings]:
    """Factories (`made`) write into the very database that the product reads."""
    with config.using(
        data=live.folder,
        port=live.port,
        database_url=config.Secret(live.addresses.login),
        database_owner_url=config.Secret(live.addresses.owner),
        redis_url=config.Secret(live.addresses.redis),
        secret_key=config.Secret(live.settings["secret_key"]),
    ) as settings:
        yield settings


@pytest.fixture(scope="module")
def browser(servers: Addresses) -> Iterator[Browser]:
    """Chromium for one file of tests. Not for the session: while Playwright's sync API is up, its loop counts as the
    running one of this thread, and no async test of another folder could run in this process.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        _without("Chromium is not here. `make test` installs it where it may; else: apt install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


_SIGNED_IN: dict[str, Any] = {}
"""Address of a product → cookies of its owner. An account may be tried only so often, and there are many test files."""


@pytest.fixture(scope="module")
def session_of_mara(browser: Browser, live: Live) -> Any:
    """Cookies after one real sign-in, for as long as they hold; every signed-in context starts with them."""
    context = browser.new_context(viewport=WIDE, storage_state=_SIGNED_IN.get(live.url))
    page = context.new_page()
    page.goto(f"{live.url}/flows")  # who is not signed in is led to the form; the form itself comes for everybody
    if "/sign-in" in page.url:
        page.get_by_label("Your e-mail").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        _SIGNED_IN[live.url] = context.storage_state()
    context.close()
    return _SIGNED_IN[live.url]


@pytest.fixture
def expected() -> list[str]:
    return []


@pytest.fixture
def opened(browser: Browser, live: Live, expected: list[str]) -> Iterator[Callable[..., Page]]:
    """Makes pages; at the end of the test none of them may have complained. Tests use `page` and `stranger`."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(**options: Any) -> Page:
        # bypass_csp only lets axe in (it is injected); what our own pages do is checked by tests without it
        context = browser.new_context(base_url=live.url, **{"viewport": WIDE, "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(_complaint(said)) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    unexpected = [text for text in complaints if not any(known in text for known in expected)]
    assert not unexpected, "The browser's console complains:\n" + "\n".join(unexpected + _errors(live.folder))


def _errors(folder: Path) -> list[str]:
    """What the product logged last as errors: the other end of a complaint."""
    lines = (folder / "web.log").read_text(errors="replace").splitlines()
    return [line[-4000:] for line in lines if '"level":"error"' in line.replace(": ", ":")][-2:]


def _complaint(said: ConsoleMessage) -> str:
    """With the address it is about: "status of 404" alone finds no cause."""
    return f"{said.text} ({said.location['url']})"


@pytest.fixture
def page(opened: Callable[..., Page], session_of_mara: Any) -> Page:
    return opened(storage_state=session_of_mara)


@pytest.fixture
def entered(opened: Callable[..., Page], live: Live) -> Callable[..., Page]:
    def page_of(person: Any, **options: Any) -> Page:
        page = opened(**options)
        page.context.add_cookies([{"name": COOKIE, "value": person.secret, "url": live.url}])
        return page

    return page_of


@pytest.fixture
def mara(made: Callable[[Coroutine[Any, Any, Any]], Any], live: Live) -> Actor:
    found: Actor = made(owner())
    return found


@pytest.fixture
def opened_flow(
    page: Page, made: Callable[[Coroutine[Any, Any, Any]], Any], mara: Actor
) -> Callable[[Flow | None], Page]:
    def open_it(document: Flow | None = None) -> Page:
        page.goto(f"/flows/{made(a_flow(mara, document))}")
        ready(page)
        return page

    return open_it


@pytest.fixture
def stranger(opened: Callable[..., Page]) -> Page:
    return opened()


@pytest.fixture
def look() -> Callable[[Page, str], None]:
    """Pictures of this page as it stands: light, dark, and 390 px wide. A page wider than its window fails."""

    def take(page: Page, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        before = page.viewport_size
        for suffix, size, scheme in (("light", WIDE, "light"), ("dark", WIDE, "dark"), ("390", PHONE, "light")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=SHOTS / f"{name}-{suffix}.png", full_page=True, animations="disabled")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], f"{name} is {width} px wide on a screen of {size['width']} px."
        page.set_viewport_size(before or WIDE)
        page.emulate_media(color_scheme="light")

    return take


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """No accessibility violation, light and dark. axe is put in over the debugger, so the page's CSP stays in force."""
    if not AXE.is_file():
        _without(f"axe-core is not here: {AXE.relative_to(ROOT)} belongs to the repository; check it out again.")
    source = AXE.read_text(encoding="utf-8")

    def examine(page: Page) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(f"() => {{ {source} }}")
            found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
            said = [
                f"{scheme}: {rule['id']} ({rule['help']})\n    "
                + "\n    ".join(
                    node["html"][:200] + " -> " + json.dumps(node.get("failureSummary", ""))[:300]
                    for node in rule["nodes"][:4]
                )
                for rule in found
            ]
            assert not said, f"{page.url}\n" + "\n".join(said)
        page.emulate_media(color_scheme="light")

    return examine

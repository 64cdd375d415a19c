"""The connections page and its JSON twin, as a browser and a program see them; and no key anywhere."""

import logging

import pytest

from tests.app.browser import token_of
from tests.doubles.openai_script import Answer

pytestmark = pytest.mark.anyio
KEY = "sk-canary-5f0c8e2b9a7d4c31"
HTMX = {"hx-request": "true", "hx-request-type": "partial"}


async def connected(browser, fake) -> str:
    sent = {"provider": "compatible", "name": "Fake", "key": KEY, "base_url": fake.url}
    answer = await browser.post("/connections", data=sent)
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def test_a_person_connects_a_model_tests_it_and_sees_what_it_said(signed_in, fake):
    assert "No model is connected yet" in (await signed_in.get("/connections")).text
    chooser = await signed_in.get("/connections/new")
    assert "Mistral" in chooser.text and "Models in the EU" in chooser.text
    assert 'name="base_url"' in (await signed_in.get("/connections/new/compatible")).text
    place = await connected(signed_in, fake)
    opened = await signed_in.get(place)
    assert 'hx-trigger="load"' in opened.text and "say hello" in opened.text
    trial = place.partition("?")[0] + "/trial"
    here = {"hx-current-url": f"http://127.0.0.1:8000{place}"}
    tried = await signed_in.post(trial, headers=HTMX | here)
    assert "It works" in tried.text and "You said: Say hello" in tried.text and 'hx-swap-oob="outerMorph"' in tried.text
    assert "Ready, " in (await signed_in.get("/connections")).text


async def test_what_does_not_fit_is_said_at_the_field_and_the_key_is_not_sent_back(signed_in):
    sent = {"provider": "compatible", "name": "Fake", "key": KEY, "base_url": "ftp://x"}
    answer = await signed_in.post("/connections", data=sent, headers=HTMX)
    assert answer.status_code == 422 and "is no address of a server" in answer.text
    assert 'value="Fake"' in answer.text and KEY not in answer.text


async def test_a_refused_key_is_a_strip_under_its_row_with_the_way_out(signed_in, fake):
    fake.settings.keys = ["another"]
    place = (await connected(signed_in, fake)).partition("?")[0]
    await signed_in.post(f"{place}/trial")
    page = await signed_in.get("/connections")
    assert "Key refused" in page.text and "Enter a new key under Connections" in page.text and "New key" in page.text


async def test_removing_answers_with_an_undo_that_works(signed_in, fake):
    place = (await connected(signed_in, fake)).partition("?")[0]
    assert (await signed_in.post(f"{place}/removal")).headers["location"] == "/connections"
    page = await signed_in.get("/connections")
    assert f'data-undo="{place}/restoration"' in page.text and "Fake removed." in page.text
    assert (await signed_in.post(f"{place}/restoration")).status_code < 400
    assert "Fake" in (await signed_in.get(place)).text


async def test_choices_and_limits_by_plain_forms(signed_in, fake):
    place = (await connected(signed_in, fake)).partition("?")[0]
    await signed_in.post(f"{place}/trial")
    for path, sent in (
        ("/connections/default", {"model": "compatible/fake-large"}),
        ("/connections/fallbacks", {"model": "compatible/fake-free"}),
        ("/connections/fallbacks", {"model": "compatible/fake-small"}),
        ("/connections/fallbacks/placement", {"model": "compatible/fake-small", "place": "0"}),
        ("/connections/budgets", {"scope": "visitor", "limit": "0.5", "period": "day"}),
    ):
        answer = await signed_in.post(path, data=sent)
        assert answer.status_code == 303, (path, answer.text)
    page = (await signed_in.get("/connections")).text
    order = page[page.index('id="order"') :]
    assert order.index("fake-large") < order.index("Take out: fake-small") < order.index("Take out: fake-free")
    assert "Each visitor, a day" in page and "$0.50" in page


async def test_no_key_in_any_answer_or_log(signed_in, api, fake, caplog):
    caplog.set_level(logging.DEBUG)
    fake.always(Answer(status=400, error=f"the key {KEY} is on fire"))
    place = (await connected(signed_in, fake)).partition("?")[0]
    texts = [
        (await signed_in.post(f"{place}/trial", headers=HTMX)).text,
        (await signed_in.get("/connections")).text,
        (await signed_in.get(place)).text,
        (await api.get("/api/v1/connections")).text,
        (await api.get("/api/v1/models")).text,
        (await api.get("/api/v1/model-calls")).text,
        (await api.post("/api/v1" + f"{place}/trial")).text,
        (await api.post("/api/v1/connections", json={"provider": "compatible", "key": KEY, "base_url": "ftp://"})).text,
    ]
    assert "on fire" in texts[0]
    for text in [*texts, caplog.text]:
        assert KEY not in text and KEY[3:20] not in text


async def test_the_api_does_what_the_page_does(api, fake):
    made = await api.post("/api/v1/connections", json={"provider": "compatible", "base_url": fake.url, "key": KEY})
    connection = made.json()["id"]
    untried = (await api.get("/api/v1/connections")).json()[0]
    assert (untried["status"], untried["trial"]["status"]) == ("untried", "untried")
    trial = await api.post(f"/api/v1/connections/{connection}/trial")
    assert trial.json()["status"] == "ready", trial.text
    listed = await api.get("/api/v1/connections")
    assert [(each["key_hint"], each["status"], each["trial"]["status"]) for each in listed.json()] == [
        ("4c31", "ready", "ready")
    ]
    models = await api.get("/api/v1/models")
    assert "compatible/fake-small" in [each["id"] for each in models.json()]
    assert (await api.put("/api/v1/connections/default", json={"model": "compatible/fake-small"})).status_code == 204
    fallbacks = {"models": ["compatible/fake-large"]}
    assert (await api.put("/api/v1/connections/fallbacks", json=fallbacks)).status_code == 204
    assert (await api.get("/api/v1/connections/choices")).json() == {
        "model": "compatible/fake-small", "embedding_model": "", "fallbacks": ["compatible/fake-large"],
    }  # fmt: skip
    assert (await api.delete(f"/api/v1/connections/{connection}")).status_code == 204
    assert (await api.get("/api/v1/connections")).json() == []
    assert (await api.post(f"/api/v1/connections/{connection}/restoration")).status_code == 204


async def test_a_viewer_sees_the_page_without_buttons(app, fake):
    from tests.app.browser import Browser
    from tests.factories.accounts import a_person

    async with Browser(app) as browser:
        browser.enter(await a_person(role="viewer"))
        page = await browser.get("/connections")
        assert page.status_code == 200 and "/connections/new" not in page.text
        answer = await browser.post("/connections", data={"provider": "openai", "key": KEY, "_csrf": token_of(page)})
        assert answer.status_code == 403


async def test_web_does_not_import_litellm(signed_in, fake):
    """In a process of its own: other tests of this session may have imported it."""
    import subprocess
    import sys

    code = "import app.main, sys; sys.exit(any(m.split('.')[0] in ('litellm', 'onnxruntime') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

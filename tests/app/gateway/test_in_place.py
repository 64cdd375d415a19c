"""The dialog of the editor in which a connection is made: tried at once, mended there, and no key in any answer."""

import pytest

from tests.app.gateway.test_page import HTMX, KEY

pytestmark = pytest.mark.anyio


async def test_a_connection_is_made_tried_and_named_with_its_first_model(signed_in, fake):
    assert "Mistral" in (await signed_in.get("/connections/in-place", headers=HTMX)).text
    form = await signed_in.get("/connections/in-place/with/compatible", headers=HTMX)
    assert 'name="base_url"' in form.text and 'action="/connections/in-place"' in form.text
    sent = {"provider": "compatible", "name": "Fake", "key": KEY, "base_url": fake.url}
    made = await signed_in.post("/connections/in-place", data=sent, headers=HTMX)
    assert made.status_code == 201
    assert "It works" in made.text and 'data-name="Fake"' in made.text and 'data-model="compatible/' in made.text
    assert KEY not in made.text


async def test_one_that_does_not_work_is_mended_in_place(signed_in, fake):
    fake.settings.keys = ["another-key-of-length"]
    sent = {"provider": "compatible", "name": "Fake", "key": KEY, "base_url": fake.url}
    made = await signed_in.post("/connections/in-place", data=sent, headers=HTMX)
    assert "It does not work yet." in made.text and KEY not in made.text
    to = made.text.partition('action="')[2].partition('"')[0]
    assert to.startswith("/connections/in-place/") and 'name="key"' in made.text
    sent["key"] = "another-key-of-length"
    again = await signed_in.post(to, data=sent, headers=HTMX)
    assert again.status_code == 200 and "It works" in again.text and sent["key"] not in again.text


async def test_what_does_not_fit_is_said_at_the_field(signed_in):
    sent = {"provider": "compatible", "name": "Fake", "key": KEY, "base_url": "ftp://x"}
    answer = await signed_in.post("/connections/in-place", data=sent, headers=HTMX)
    assert answer.status_code == 422 and "is no address of a server" in answer.text and KEY not in answer.text
    assert (await signed_in.get("/connections/in-place/with/nobody", headers=HTMX)).status_code == 404
    assert (await signed_in.get("/connections/in-place/with/local", headers=HTMX)).status_code == 404

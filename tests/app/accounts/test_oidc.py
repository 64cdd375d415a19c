"""Sign-in by a real OpenID Connect server on loopback, and every way to cheat on it that we know."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from app import clock, config
from app.accounts import queries, service
from app.accounts.forms import InviteForm
from app.accounts.oidc import directory, way
from app.accounts.oidc.directory import Doors, Provider
from app.db import system_tx
from app.errors import Refused
from tests.app.browser import Browser, token_of
from tests.factories.accounts import a_person

ANN = {"sub": "ann-1", "email": "ann@school.example", "email_verified": True, "name": "Ann Lee"}


@pytest.fixture(scope="module")
def server():
    users = [
        oidc_provider_mock.User(sub="ann-1", claims={k: v for k, v in ANN.items() if k != "sub"}),
        oidc_provider_mock.User(sub="bob-2", claims={"email": "bob@school.example", "email_verified": False}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as running:
        yield f"http://localhost:{running.server_port}"


@pytest.fixture
def switched_on(server):
    directory._kept.clear()
    with config.using(oidc_issuer=server, oidc_id="agentbase", oidc_secret=config.Secret("s3cret"), oidc_name="School"):
        yield


async def away(browser: Browser, page: str = "/sign-in", **more: str) -> str:
    """Press "Continue with School"; the address that the browser is sent to."""
    form = await browser.get(page)
    data = {"_csrf": token_of(form), "next": "", "invite": ""} | more
    leaving = await browser.post("/sign-in/with/oidc", data=data)
    assert leaving.status_code == 201 or leaving.status_code == 200, leaving.text
    return leaving.headers["refresh"].partition("url=")[2]


async def at_the_provider(address: str, sub: str = "ann-1") -> str:
    """Say yes there; the address it sends the browser back to."""
    async with httpx.AsyncClient() as there:
        answer = await there.post(address, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        back = urlsplit(html.unescape(answer.headers["location"]))
    return f"{back.path}?{back.query}"


async def test_a_connected_account_is_a_way_in(app, signed_in, switched_on):
    back = await at_the_provider(await away(signed_in, "/settings/profile"))
    done = await signed_in.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/settings/profile"), done.text
    page = await signed_in.get("/settings/profile")
    assert "School: ann@school.example" in page.text
    async with Browser(app) as elsewhere:
        back = await at_the_provider(await away(elsewhere, next="/settings/keys"))
        done = await elsewhere.get(back)
        assert (done.status_code, done.headers["location"]) == (303, "/settings/keys")
        assert signed_in.actor.email in (await elsewhere.get("/settings/profile")).text
    async with system_tx("test") as tx:
        await tx.execute("delete from identity where user_id = $1", signed_in.actor.user_id)


async def test_the_request_carries_pkce_state_and_nonce_and_no_secret(client, switched_on):
    query = parse_qs(urlsplit(await away(client)).query)
    assert query["code_challenge_method"] == ["S256"] and len(query["code_challenge"][0]) == 43
    assert len(query["state"][0]) >= 43 and len(query["nonce"][0]) >= 43
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/sign-in/with/oidc/back"]
    assert "s3cret" not in str(query) and "code_verifier" not in query


async def test_an_equal_e_mail_opens_no_account(client, switched_on):
    await a_person(email="ann@school.example")
    back = await at_the_provider(await away(client))
    answer = await client.get(back)
    assert answer.status_code == 422 and "No account here is connected" in answer.text
    assert (await client.get("/settings/profile")).status_code == 303
    async with system_tx("test") as tx:
        await tx.execute("delete from user_account where email = 'ann@school.example'")


async def test_an_invitation_lets_a_new_person_in_with_its_role(client, signed_in, switched_on):
    invited = await service.invite(signed_in.actor, InviteForm("viewer", "ann@school.example"))
    secret = invited.path.rpartition("/")[2]
    back = await at_the_provider(await away(client, invited.path, invite=secret))
    assert (await client.get(back)).status_code == 303
    people = {p.email: p.role for p in await queries.people(signed_in.actor)}
    assert people["ann@school.example"] == "viewer"
    async with system_tx("test") as tx:
        await tx.execute("delete from user_account where email = 'ann@school.example'")


async def test_without_a_verified_e_mail_an_invitation_makes_no_account(client, signed_in, switched_on):
    invited = await service.invite(signed_in.actor, InviteForm())
    back = await at_the_provider(await away(client, invited.path, invite=invited.path.rpartition("/")[2]), sub="bob-2")
    answer = await client.get(back)
    assert answer.status_code == 422 and "verified e-mail" in answer.text


async def test_only_the_browser_that_started_can_finish_and_only_once(app, client, switched_on):
    back = await at_the_provider(await away(client))
    async with Browser(app) as attacker:
        assert "started elsewhere" in (await attacker.get(back)).text
        await away(attacker)  # with a flow of its own, the other's answer does not fit either
        assert (await attacker.get(back)).status_code == 422
    await client.get(back)
    assert "started elsewhere" in (await client.get(back)).text


@pytest.mark.parametrize("change", ["state=x", "iss=https%3A%2F%2Fevil.example", "error=access_denied", "code="])
async def test_an_answer_that_does_not_fit_is_refused(client, switched_on, change):
    back = await at_the_provider(await away(client))
    name = change.partition("=")[0]
    bent = re.sub(rf"(?<=[?&]){name}=[^&]*&?", "", back)
    answer = await client.get(f"{bent}&{change}")
    assert answer.status_code == 422
    assert (await client.get("/settings/profile")).status_code == 303


async def test_somebody_elses_identity_cannot_be_taken_over(app, signed_in, stranger, switched_on):
    await signed_in.get(await at_the_provider(await away(signed_in, "/settings/profile")))
    answer = await stranger.get(await at_the_provider(await away(stranger, "/settings/profile")))
    assert answer.status_code == 409 and "somebody else" in answer.text
    async with system_tx("test") as tx:
        await tx.execute("delete from identity where user_id = $1", signed_in.actor.user_id)


async def test_a_provider_that_is_silent_gives_a_sentence_not_a_crash(client, settings):
    with config.using(oidc_issuer="http://localhost:1", oidc_id="x", oidc_name="School"):
        form = await client.get("/sign-in")
        answer = await client.post("/sign-in/with/oidc", data={"_csrf": token_of(form)})
    assert answer.status_code == 503 and "School does not answer" in answer.text


async def test_a_provider_that_is_not_switched_on_is_not_there(client):
    form = await client.get("/sign-in")
    assert "Continue with" not in form.text
    assert (await client.post("/sign-in/with/google", data={"_csrf": token_of(form)})).status_code == 404


KEY = RSAKey.generate_key(2048, parameters={"kid": "1", "use": "sig"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "1", "use": "sig"})
US = Provider("oidc", "School", "https://school.example", "agentbase", "s")
GOOD = {"iss": "https://school.example", "aud": "agentbase", "sub": "1", "nonce": "n"}


@pytest.mark.parametrize(
    ("header", "claims", "key"),
    [
        ({"alg": "RS256", "kid": "1"}, {"iss": "https://evil.example"}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"aud": "another"}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"nonce": "of another flow"}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"nonce": None}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"sub": ""}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"exp": 1}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"exp": None}, KEY),
        ({"alg": "RS256", "kid": "1"}, {"aud": ["agentbase", "x"], "azp": "x"}, KEY),
        ({"alg": "RS256", "kid": "1"}, {}, OTHER),
        (
            {"alg": "HS256", "kid": "1"},
            {},
            OctKey.import_key("any shared secret of more than 32 bytes, such as the client secret"),
        ),
    ],
    ids=["iss", "aud", "nonce", "no nonce", "no sub", "old", "no exp", "azp", "other key", "shared secret"],
)
async def test_an_id_token_that_does_not_hold_is_refused(monkeypatch, header, claims, key):
    await _refused(monkeypatch, jwt_of(header, claims, key))


async def test_an_unsigned_id_token_is_refused(monkeypatch):
    signed = jwt_of({"alg": "RS256", "kid": "1"}, {}, KEY)
    none = "eyJhbGciOiJub25lIn0"
    await _refused(monkeypatch, f"{none}.{signed.split('.')[1]}.")


async def test_a_good_id_token_passes_also_right_after_the_provider_changed_its_keys(monkeypatch):
    sets = [{"keys": [RSAKey.generate_key(2048, parameters={"kid": "0"}).as_dict()]}, {"keys": [KEY.as_dict()]}]

    async def ask(provider, url, *, anew=False):
        return sets[1 if anew else 0]

    monkeypatch.setattr(directory, "ask", ask)
    outside = await read_token(jwt_of({"alg": "RS256", "kid": "1"}, {}, KEY))
    assert (outside.issuer, outside.subject, outside.email) == ("https://school.example", "1", "")


def jwt_of(header, claims, key) -> str:
    merged = {k: v for k, v in (GOOD | {"exp": int(clock.epoch()) + 60} | claims).items() if v is not None}
    return jwt.encode(header, merged, key, algorithms=["RS256", "HS256"])


async def read_token(text: str):
    doors = Doors("https://school.example", "", "", "https://school.example/keys")
    ours = way.Way("oidc", "s", "n", "v", "b")
    return await way._from_id_token(US, doors, ours, {"id_token": text})


async def _refused(monkeypatch, text: str) -> None:
    async def ask(provider, url, *, anew=False):
        return {"keys": [KEY.as_dict(private=False)]}

    monkeypatch.setattr(directory, "ask", ask)
    with pytest.raises(Refused, match="could not be finished"):
        await read_token(text)


async def test_github_tells_who_it_is_by_its_number_and_its_verified_address(monkeypatch):
    asked = []

    async def fetch(provider, method, url, *, headers=None, body=b""):
        asked.append((method, url))
        return {
            "https://github.com/login/oauth/access_token": {"access_token": "t"},
            "https://api.github.com/user": {"id": 42, "login": "mara", "name": None},
            "https://api.github.com/user/emails": [
                {"email": "old@x.example", "primary": False, "verified": True},
                {"email": "mara@x.example", "primary": True, "verified": True},
            ],
        }[url]

    monkeypatch.setattr(directory, "fetch", fetch)
    github = Provider("github", "GitHub", "https://github.com", "id", "secret", plain=True)
    address, ours = await way.start(github, "http://localhost:8000/sign-in/with/github/back")
    assert "code_challenge=" in address and "nonce" not in address
    outside = await way.finish(github, ours, state=ours.state, code="c", error="", iss="")
    assert outside == way.Outside("https://github.com", "42", "mara@x.example", "mara", "GitHub: mara")
    assert asked[0] == ("POST", "https://github.com/login/oauth/access_token")

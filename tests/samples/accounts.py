from datetime import UTC, datetime
from uuid import UUID

from app.accounts import queries, service
from app.accounts.forms import InviteForm, KeyForm
from app.accounts.service import NewKey
from app.web.actor import Actor
from app.web.errors import FieldProblem, Problem
from tests.factories.accounts import a_person

SOME = UUID("01993d5e-0000-7000-8000-000000000001")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PERSON = queries.Person(SOME, "Mara Fern", "mara@fernhill.example", "owner", THEN, None)
INVITE = queries.OpenInvite(SOME, "editor", "", THEN, THEN)
KEY = queries.Key(SOME, "Shop", "ab_1234567", ["read", "run"], "Mara", THEN, None, True)
MADE = NewKey(SOME, "Shop", "ab_only-for-tests", ("read",))
FORM = {"values": {}, "errors": {}}
WRONG = {"values": {"name": "x", "email": "<b>"}, "errors": {"": "Nothing fits.", "name": "Fill this in."}}

SAMPLES = {
    "accounts/_providers.html": [FORM, FORM | {"invite": "x"}],
    "accounts/_profile_form.html": [FORM, WRONG],
    "accounts/_password_form.html": [FORM, WRONG],
    "accounts/_workspace_form.html": [FORM, WRONG],
    "accounts/_identities.html": [
        {"profile": queries.Profile("Mara", "m@f.example", "system", "comfortable", True, [])},
        {"profile": queries.Profile("", "m@f.example", "dark", "compact", False, ["Google: m@f.example"])},
    ],
    "accounts/_people.html": {"people": [PERSON]},
    "accounts/_invite_form.html": [FORM, WRONG, FORM | {"link": "http://localhost/join/x"}],
    "accounts/_invites.html": [{"invites": []}, {"invites": [INVITE], "oob": True}],
    "accounts/invited.oob.html": {"link": "http://localhost/join/x", "invites": [INVITE]},
    "accounts/_key_form.html": [FORM, WRONG, FORM | {"made": MADE}],
    "accounts/_keys.html": [{"keys": []}, {"keys": [KEY]}],
    "accounts/key_made.oob.html": {"made": MADE, "keys": [KEY]},
    "accounts/_settings.html": {"tab": "profile"},
    "errors/_error.html": [
        {"problem": Problem(404, "There is nothing here.")},
        {"problem": Problem(422, "One field needs another look.", errors=(FieldProblem("size", "1 or more."),))},
        {"problem": Problem(500, "Something broke on our side.", "Try once more.", id="abc")},
    ],
}


async def _member(actor: Actor) -> UUID:
    return (await a_person(role="viewer", workspace_id=actor.workspace_id)).actor.user_id


async def _session(actor: Actor) -> UUID:
    assert actor.session_id
    return actor.session_id


async def _invite(actor: Actor) -> UUID:
    return (await service.invite(actor, InviteForm())).id


async def _key(actor: Actor) -> UUID:
    return (await service.create_key(actor, KeyForm("Test"))).id


IDS = {"user_id": _member, "session_id": _session, "invite_id": _invite, "key_id": _key}
BODIES = {"accounts:change-role": {"role": "editor"}, "api:change-role": {"role": "editor"}}

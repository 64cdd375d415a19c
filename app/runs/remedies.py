"""What can go wrong in a step or a run, by the kind that is on record: a name for it, what to do, and where. Pure data.

The record holds the sentence with the values (flows.ledger.protocol.Fault); this table says what leads to its remedy.
Every kind that engine, models, requests and components can give has a line: tests/app/runs/test_remedies.py walks the
code. What a package makes up itself falls to its class's line.
"""

from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

Place = Literal["setting", "failure", "connections", "budgets", "flow", "limits", "run", "secrets", "step"]
"""Where the remedy is: the setting at fault; the step's "If it fails"; a page; "step": the step itself."""

WORDS: dict[Place, str] = {
    "setting": "Open settings",
    "step": "Show the step",
    "failure": "Open “If it fails”",
    "connections": "Open Connections",
    "budgets": "Open Budgets",
    "flow": "Open the flow’s limits",
    "limits": "Open Limits",
    "run": "Open this run",
    "secrets": "Open Secrets",
}


class Line(Struct, frozen=True):
    """`what`: what happened, in a few words. `do`: what helps."""

    what: str
    do: str
    place: Place


class Remedy(Struct, frozen=True):
    """The way to it. `href`: a page; `node`, `field`: the same inside the editor, "" where it is a page elsewhere."""

    what: str
    do: str
    label: str
    href: str
    node: str = ""
    field: str = ""


TABLE: dict[str, Line] = {
    # The engine
    "NodeError": Line("The step can’t go on", "Correct the setting or the value it names.", "setting"),
    "Misfit": Line("A value of another kind", "Wire in what the port takes, or convert it before.", "setting"),
    "ExpressionError": Line("An expression can’t be worked out", "Correct it; Input shows what there was.", "setting"),
    "TookTooLong": Line("The step took too long", "Raise its time limit, or make it do less.", "failure"),
    "DidNotHappen": Line("It did not take effect", "Run it again from there.", "run"),
    "InDoubt": Line("Nobody knows whether it took effect", "Look there, then say whether it happened.", "run"),
    "Cost": Line("The run cost too much", "Raise the flow’s limit, or make it do less.", "flow"),
    "Deadline": Line("The run took too long", "Make it do less, or let it wait outside of the run.", "flow"),
    "Breakpoint": Line("Nobody went on at a breakpoint", "Run it again; a pause lasts an hour.", "run"),
    "Stopped": Line("A step ended the run as failed", "It was told to: look at its condition.", "step"),
    "Undo": Line(
        "What was done could not be taken back", "Look at the steps that took it back, and finish by hand.", "run"
    ),
    "internal": Line("The program could not go on", "Run it again; if it comes back, report it with this run.", "run"),
    # Models
    "key": Line("The key was refused", "Enter a new key.", "connections"),
    "credit": Line("No credit left", "Top it up at the provider, or choose another model.", "connections"),
    "rate": Line("Too many calls for the moment", "Try again later, or add a fallback.", "connections"),
    "overloaded": Line("The provider had an error of its own", "Try again, or add a fallback.", "connections"),
    "timeout": Line("The model did not answer in time", "Try again, or choose a faster model.", "setting"),
    "unreachable": Line("The model’s server can’t be reached", "Start it, or correct its address.", "connections"),
    "broken_off": Line("The answer broke off", "Try again.", "step"),
    "malformed": Line("That was no model’s answer", "Check the connection’s address.", "connections"),
    "too_long": Line("The text is too long for the model", "Shorten it, or choose a larger model.", "setting"),
    "declined": Line("The model declined to answer", "Change the text it is given.", "setting"),
    "unknown_model": Line("The connection has no such model", "Choose another model.", "setting"),
    "bad_request": Line("The provider did not accept the request", "Check the step’s settings.", "setting"),
    "no_tools": Line("This model can’t use tools", "Choose another model.", "setting"),
    "schema": Line("The answer has another shape", "Make the shape simpler, or choose another model.", "setting"),
    "budget": Line("The budget is used up", "Raise it, or wait for its next period.", "budgets"),
    "no_model": Line("No model is connected", "Connect one.", "connections"),
    "no_connection": Line("The connection is gone", "Make it anew, or choose another model.", "connections"),
    "needs_worker": Line("This model is answered by a worker", "Start a worker.", "limits"),
    "busy": Line("The model on this server is busy", "Try again in a moment, or connect another model.", "connections"),
    "policy": Line("The call is against a rule", "Correct what it names.", "setting"),
    # Requests to other servers
    "http_address_blocked": Line("Requests don’t go to this address", "Give a public address.", "setting"),
    "http_unknown_host": Line("There is no such server", "Correct the address.", "setting"),
    "http_no_connection": Line("The server takes no connections", "Start it, or correct the address.", "setting"),
    "http_certificate": Line(
        "The server’s certificate is wrong", "Have it renewed, or correct the address.", "setting"
    ),
    "http_too_slow": Line("The server did not answer in time", "Try again, or raise the time limit.", "setting"),
    "http_lost": Line("The connection was lost", "Try again; “If it fails” can do so by itself.", "failure"),
    "http_bad_http": Line("The answer was no HTTP", "Check the address and its port.", "setting"),
    "http_too_large": Line("The answer is too large", "Ask for less of it.", "setting"),
    "http_too_many_redirects": Line("The server sends one in circles", "Give the final address.", "setting"),
    "http_no_answer": Line("The server did not answer", "Try again.", "setting"),
    "http_over_limit": Line("The answer is over a limit", "Ask for less of it.", "setting"),
    "http_egress": Line("The request did not get through", "Check the address.", "setting"),
}
UNKNOWN = Line(
    "The step met an error it does not handle", "Look at what came in; then report it to its author.", "step"
)
"""A component's own fault: any exception that is no NodeError."""
OF_THE_RUN = Line("The run could not go on", "Look at its last step.", "run")
"""On record without a kind."""


def line(kind: str) -> Line:
    return TABLE.get(kind) or (UNKNOWN if kind else OF_THE_RUN)


def remedy(kind: str, field: str, node: str, flow_id: UUID, run_id: UUID) -> Remedy:
    """`node`: the step's path, "" = the run as a whole. A step of another flow is shown on the page of the run.

    A setting at fault wins over the table: what is named is what there is to correct, unless another page has it.
    """
    found = line(kind)
    place = found.place
    if field in ("secrets", "secret"):
        place = "secrets"
    elif not node and place in ("setting", "failure", "step"):
        place = "run"
    top = node if "/" not in node else ""
    setting = {"failure": "timeout", "setting": field}.get(place, "")
    at = urlencode({"step": top} | ({"field": setting} if setting else {}))
    inside = place in ("setting", "failure", "step") and top
    href = {
        "connections": "/connections",
        "budgets": "/connections/budgets",
        "secrets": "/settings/secrets",
        "flow": f"/flows/{flow_id}/outline?panel=about",
        "limits": f"/flows/{flow_id}/limits",
    }.get(place, f"/flows/{flow_id}?{at}" if inside else f"/runs/{run_id}?{urlencode({'step': node})}")
    label = WORDS[place] if inside or place not in ("setting", "failure", "step") else WORDS["run"]
    return Remedy(found.what, found.do, label, href, top if inside else "", setting if inside else "")

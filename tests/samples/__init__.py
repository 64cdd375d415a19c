"""What partials are shown with, and ids to try doors with. One module per domain; each may have

SAMPLES  template → context, or a list of contexts: tests/app/web/test_templates.py renders each under StrictUndefined.
IDS      path parameter → async maker(actor) of a thing in that actor's workspace, returning what stands in the address.
BODIES   route name → form or JSON that the route accepts, where one made from its type would not do (test_routes.py).
QUERIES  route name → the query that the route asks for.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def gather(name: str) -> dict[str, Any]:
    """All entries called `name` of all modules here."""
    found: dict[str, Any] = {}
    for module in iter_modules(__path__):
        found |= getattr(import_module(f"{__name__}.{module.name}"), name, {})
    return found

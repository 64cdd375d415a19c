"""The verbs of this domain, by noun. Other domains come in here: `from app.gateway import service`."""

from app.gateway.adapter import StepLlm, llm_for
from app.gateway.owed import BESIDE, Owed
from app.gateway.running import begin_worker, drain
from app.gateway.service.budgets import remove_budget, set_budget
from app.gateway.service.choices import (
    add_fallback,
    choose_default,
    move_fallback,
    order_fallbacks,
    remove_fallback,
)
from app.gateway.service.connections import change, connect, remove, restore
from app.gateway.service.lanes import default_model, runs_here, workspace_runs_here
from app.gateway.service.nearby import Found, nearby
from app.gateway.service.signing import secret_of, signed
from app.gateway.service.trial import Trial, try_out

__all__ = [
    "BESIDE",
    "Found",
    "Owed",
    "StepLlm",
    "Trial",
    "add_fallback",
    "begin_worker",
    "change",
    "choose_default",
    "connect",
    "default_model",
    "drain",
    "llm_for",
    "move_fallback",
    "nearby",
    "order_fallbacks",
    "remove",
    "remove_budget",
    "remove_fallback",
    "restore",
    "runs_here",
    "secret_of",
    "set_budget",
    "signed",
    "try_out",
    "workspace_runs_here",
]

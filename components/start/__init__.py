"""Steps that start a flow: they hand on what the trigger brought."""

from typing import Any

from components.start.after import after
from components.start.api import api
from components.start.chat import chat
from components.start.drop import drop
from components.start.email import email
from components.start.event import event
from components.start.form import form
from components.start.schedule import schedule
from components.start.webhook import webhook

NODES: tuple[Any, ...] = (chat, form, webhook, schedule, event, after, email, drop, api)

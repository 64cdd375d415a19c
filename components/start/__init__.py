"""Steps that start a flow: they hand on what the trigger brought."""

from components.start.api import api
from components.start.chat import chat
from components.start.form import form
from components.start.schedule import schedule
from components.start.webhook import webhook

NODES = (chat, form, webhook, schedule, api)

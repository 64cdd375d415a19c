"""Pages of runs: the list, one run, and what a person does with it."""

from typing import Any

from app import config, mail
from app.runs.controllers.asked import AskedController, AsksController
from app.runs.controllers.limits import LimitsController
from app.runs.controllers.needs import NeedsController
from app.runs.controllers.pauses import PausesController
from app.runs.controllers.replays import ReplaysController
from app.runs.controllers.run import RunController
from app.runs.controllers.runs import RunsController
from app.runs.controllers.shares import SharedController, SharesController
from app.runs.viewing import lit, prose, view
from app.web.render import offer

offer("viewed", view)
offer("lit", lit)
offer("prose", prose)
offer("mails_go_out", mail.available)
offer("base_url", lambda: config.settings().base_url)

routes: list[Any] = [
    RunsController,
    NeedsController,
    AsksController,
    AskedController,
    LimitsController,
    RunController,
    ReplaysController,
    PausesController,
    SharesController,
    SharedController,
]

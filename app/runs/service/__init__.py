"""What other domains do with runs. `who` is the Actor, or a workspace's id where nobody is signed in (webhook,
visitor).
"""

from app.runs.doors import Admitted, Forged, Hook, Paced, check_calls, guard_hooks, pace_hooks
from app.runs.forms import GoOnForm
from app.runs.limits import key_of, known_in_key
from app.runs.rehearsal import Answer, at_the_boundary, digest, recorded, rehearse, rehearse_here
from app.runs.rollouts import begin_rollout, end_rollout, rolling_out
from app.runs.service.answering import PATIENCE, answer, follow, stream
from app.runs.service.asked import GONE, MOST_INPUT, input_text, may_run, mine, person_of, workspace_of
from app.runs.service.ending import cancel, cancel_all, forget_visits
from app.runs.service.rating import rate, rate_as_visitor, rated_by_visitor, take_rating_back
from app.runs.service.settling import again, decide, decide_all, signal
from app.runs.service.starting import DEADLINE, limit, nudge, start, start_within, variables_id
from app.runs.service.tries import begin_pinned, compared, go_on, resume
from app.runs.service.versions import (
    address_proof,
    address_token,
    bring_back,
    live_version,
    rollouts_changed,
    save_version,
    staged_in,
    take_down,
    variables_changed,
    version,
)
from app.runs.stages import clear_stage, flows_on, put_on_stage, stage_token
from app.runs.upstream import Upstream
from app.runs.values import whole_output
from app.runs.variables import in_force as variables_in_force
from app.runs.variables import locked as lock_variables
from app.runs.variables import put as put_variables

__all__ = [
    "DEADLINE",
    "GONE",
    "MOST_INPUT",
    "PATIENCE",
    "Admitted",
    "Answer",
    "Forged",
    "GoOnForm",
    "Hook",
    "Paced",
    "Upstream",
    "address_proof",
    "address_token",
    "again",
    "answer",
    "at_the_boundary",
    "begin_pinned",
    "begin_rollout",
    "bring_back",
    "cancel",
    "cancel_all",
    "check_calls",
    "clear_stage",
    "compared",
    "decide",
    "decide_all",
    "digest",
    "end_rollout",
    "flows_on",
    "follow",
    "forget_visits",
    "go_on",
    "guard_hooks",
    "input_text",
    "key_of",
    "known_in_key",
    "limit",
    "live_version",
    "lock_variables",
    "may_run",
    "mine",
    "nudge",
    "pace_hooks",
    "person_of",
    "put_on_stage",
    "put_variables",
    "rate",
    "rate_as_visitor",
    "rated_by_visitor",
    "recorded",
    "rehearse",
    "rehearse_here",
    "resume",
    "rolling_out",
    "rollouts_changed",
    "save_version",
    "signal",
    "stage_token",
    "staged_in",
    "start",
    "start_within",
    "stream",
    "take_down",
    "take_rating_back",
    "variables_changed",
    "variables_id",
    "variables_in_force",
    "version",
    "whole_output",
    "workspace_of",
]

"""What people do with flows. Every verb is one transaction and takes the actor first."""

from app.studio.service.approvals import answer, ask, set_rule, withdraw
from app.studio.service.comments import (
    comment,
    edit_comment,
    remove_comment,
    resolve,
    return_comment,
    see_mention,
)
from app.studio.service.editing import Answer, apply_ops, paste, redo, undo
from app.studio.service.environments import (
    add_environment,
    remove_environment,
    remove_instead,
    set_instead,
    stage,
    unstage,
)
from app.studio.service.flows import archive, create_flow, duplicate, export_flow, replace_document, unarchive
from app.studio.service.fragments import copy_fragment
from app.studio.service.rollouts import finish_rollout, roll_out, stop_rollout
from app.studio.service.shelf import (
    archive_all,
    lying,
    make_folder,
    move,
    put_back,
    remove_folder,
    rename_folder,
    star,
    tag,
)
from app.studio.service.subflows import collapse, inline
from app.studio.service.variables import put_variable, remove_variable, return_variable
from app.studio.service.versions import describe, make_live, publish, restore

__all__ = [
    "Answer",
    "add_environment",
    "answer",
    "apply_ops",
    "archive",
    "archive_all",
    "ask",
    "collapse",
    "comment",
    "copy_fragment",
    "create_flow",
    "describe",
    "duplicate",
    "edit_comment",
    "export_flow",
    "finish_rollout",
    "inline",
    "lying",
    "make_folder",
    "make_live",
    "move",
    "paste",
    "publish",
    "put_back",
    "put_variable",
    "redo",
    "remove_comment",
    "remove_environment",
    "remove_folder",
    "remove_instead",
    "remove_variable",
    "rename_folder",
    "replace_document",
    "resolve",
    "restore",
    "return_comment",
    "return_variable",
    "roll_out",
    "see_mention",
    "set_instead",
    "set_rule",
    "stage",
    "star",
    "stop_rollout",
    "tag",
    "unarchive",
    "undo",
    "unstage",
    "withdraw",
]

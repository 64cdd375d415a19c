"""Flows with their tests, datasets and files: as entries of an archive or of a folder, and back."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from app.checks import service as checks
from app.errors import NotAllowed, NotFound, Refused
from app.files import queries as files
from app.files import service as keeping
from app.gitsync import companions
from app.gitsync.archive import FILES
from app.gitsync.naming import names_for
from app.studio import queries as studio_queries
from app.studio import service as studio
from app.studio.queries import Listed
from app.studio.service.refilling import refilled
from app.web import Actor
from flows import catalogue
from flows.document import BadDocument
from flows.files import FORMS, Form, read_flow, write_flow
from flows.model import Flow
from flows.stored import HASH, hash_of


class TakenFlow(Struct, frozen=True):
    """`updated`: it was here already, and its draft is this one now."""

    id: UUID
    name: str
    updated: bool = False


class Taken(Struct, frozen=True):
    """`files`: how many came along. `missing`: names of files that settings refer to and nobody has."""

    flows: list[TakenFlow]
    files: int = 0
    missing: list[str] = []


class Read(Struct, frozen=True):
    """A flow and what lies beside it: texts by ending."""

    stem: str
    flow: Flow
    beside: dict[str, str]


async def packed(
    actor: Actor, flow_ids: Collection[UUID], form: Form = "json", *, with_files: bool = True
) -> dict[str, bytes]:
    """Entries by path: each flow without secrets, what lies beside it, the files its settings refer to.

    A file that the workspace does not have any more is left out. Raises NotFound.
    """
    flows = [await studio.export_flow(actor, flow_id) for flow_id in flow_ids]
    made: dict[str, bytes] = {}
    for flow_id, flow, stem in zip(flow_ids, flows, names_for(flow.name for flow in flows), strict=True):
        made[f"{stem}.{form}"] = write_flow(flow, form).encode()
        for ending, text in (await checks.as_files(actor, flow_id)).items():
            made[stem + ending] = text.encode()
        for hash in referred_to(flow) if with_files else ():
            if FILES + hash not in made and (content := await _content(actor, hash)) is not None:
                made[FILES + hash] = content
    return made


async def unpacked(actor: Actor, entries: Mapping[str, bytes], *, update: bool = False) -> Taken:
    """Make a flow of each document, with its tests and datasets, and keep the files they refer to.

    `update`: the draft of the one flow of the same name is replaced, as one undoable edit; its connections and secrets
    stay. All is read first: when something is wrong, nothing is made. Raises NotAllowed and Refused.
    """
    if not actor.can_edit:
        raise NotAllowed("Importing is up to the editors of this workspace.", remedy="Ask an owner.")
    read = checked(entries)
    there = _named(await studio_queries.flows(actor), read) if update else {}
    wanted = {hash: name for each in read for hash, name in referred_to(each.flow).items()}
    kept, missing = 0, []
    for hash, name in sorted(wanted.items()):
        if (given := entries.get(FILES + hash)) is not None:
            await keeping.keep(actor, name, given)
            kept += 1
        elif await _content(actor, hash) is None:
            missing.append(name)
    made = []
    for each in read:
        flow_id = there.get(each.flow.name)
        if flow_id is None:
            flow_id = await studio.create_flow(actor, each.flow.name or each.stem, each.flow)
        else:
            draft, rev = await studio_queries.draft(actor, flow_id)
            await studio.replace_document(actor, flow_id, refilled(each.flow, draft, catalogue.load()), rev)
        for ending, text in each.beside.items():
            await checks.take(actor, flow_id, ending, text)
        made.append(TakenFlow(flow_id, each.flow.name or each.stem, each.flow.name in there))
    return Taken(made, kept, missing)


def checked(entries: Mapping[str, bytes]) -> list[Read]:
    """The flows among these, with what lies beside each. Raises Refused for what can't be read or is something else."""
    for path, content in entries.items():
        if path.startswith(FILES) and hash_of(content) != path.removeprefix(FILES):
            raise Refused(f"'{path[:20]}…' is not what its name says.", remedy="Export it again.", field="file")
    read = [_read(path, entries) for path in sorted(entries) if not path.startswith(FILES) and not companions.of(path)]
    if not read:
        raise Refused("There is no flow in there.", remedy="A flow is a .json or .yaml file.", field="file")
    return read


def _named(flows: Collection[Listed], read: Collection[Read]) -> dict[str, UUID]:
    """Flows that are here already, by name. Raises Refused when it is not clear which is meant."""
    found: dict[str, UUID] = {}
    for each in read:
        fitting = [flow.id for flow in flows if flow.name == each.flow.name and not flow.archived]
        if len(fitting) > 1:
            raise Refused(f"{len(fitting)} flows are called '{each.flow.name}'.", remedy="Rename all but one.")
        if fitting:
            found[each.flow.name] = fitting[0]
    return found


def referred_to(flow: Flow) -> dict[str, str]:
    """Files in settings: hash -> name."""
    return {hash: name for node in flow.nodes for hash, name in _files_in(node.settings)}


def _files_in(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        id, name = value.get("id"), value.get("name")
        if isinstance(id, str) and isinstance(name, str) and "media_type" in value and HASH.fullmatch(id):
            yield id, name
        for inner in value.values():
            yield from _files_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _files_in(inner)


def _read(path: str, entries: Mapping[str, bytes]) -> Read:
    stem = path.rpartition(".")[0]
    try:
        flow = read_flow(entries[path], FORMS[f".{path.rpartition('.')[2]}"])
        beside = {
            ending: checks.in_our_layout(ending, entries[stem + ending])
            for ending in checks.ENDINGS
            if stem + ending in entries
        }
    except (BadDocument, Refused) as problem:
        raise Refused(str(problem), remedy=f"Look at {path}.", field="file") from None
    return Read(stem, flow, beside)


async def _content(actor: Actor, hash: str) -> bytes | None:
    try:
        return (await files.content(actor, hash))[1]
    except NotFound:
        return None

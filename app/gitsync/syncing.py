"""One sync: look at both sides, take over what changed there, write what changed here, leave conflicts to people.

It may be killed at any point. What was done by then is found done by the next one, because a file counts as agreed upon
when both sides are equal, whatever is written in our own table.
"""

from uuid import UUID

import msgspec
from msgspec import Struct

from app.checks import service as checks
from app.db import tenant_tx
from app.errors import Conflict, Refused
from app.gitsync import companions
from app.gitsync.merging import decide, read, written
from app.gitsync.naming import names_for
from app.gitsync.repository import MOST_FILE, Author, Moved, Repository
from app.gitsync.shapes import Done
from app.gitsync.telling import message
from app.studio import queries as studio
from app.studio import service as flows
from app.studio.service.proposals import exported
from app.studio.service.refilling import refilled
from app.web import Actor
from flows import catalogue
from flows.files import FORMS
from flows.model import Flow

TRIES = 3
"""Times we look again when somebody pushes between our look and our push."""


class Known(Struct):
    """A row of git_file. `flow_id` None: nothing here."""

    path: str
    flow_id: UUID | None = None
    base: str | None = None


class Ours(Struct):
    """A flow of this workspace as it would be written, or what lies beside it. `text` None: there is nothing."""

    id: UUID
    name: str
    path: str
    text: str | None
    archived: bool = False


class Theirs(Struct):
    flow: Flow | None
    text: str
    wrong: str = ""


class _Sync:
    def __init__(self, actor: Actor, repository: Repository, folder: str, form: str, tests: bool) -> None:
        self.actor, self.repository, self.folder, self.tests = actor, repository, folder, tests
        self.ending = f".{form}"
        self.known: dict[str, Known] = {}
        self.ours: dict[str, Ours] = {}
        self.theirs: dict[str, Theirs] = {}
        self.pulled: dict[str, None] = {}
        self.conflicts: dict[str, None] = {}
        self.left: dict[str, str] = {}
        self.head = ""

    async def run(self, *, pull: bool, push: bool) -> Done:
        for _ in range(TRIES):
            await self._look()
            changes = await self._decided(pull=pull)
            if not (push and changes):
                return self._done([], "")
            text, by = (
                message({path: mine.name for path, mine in self.ours.items()}, changes),
                Author(self.actor.name or "Agentbase", self.actor.email),
            )
            content = {path: text.encode() if text is not None else None for path, text in changes.items()}
            commit = await self.repository.commit(self.head, self.folder, content, text, by)
            try:
                await self.repository.push(commit)
            except Moved:
                continue
            for path, written_text in changes.items():
                await self._keep(path, written_text, "same")
            self.head = commit
            return self._done(list(changes), commit)
        raise Conflict("Others push to this branch all the time.", remedy="Sync again in a moment.")

    def _done(self, pushed: list[str], commit: str) -> Done:
        return Done(list(self.pulled), pushed, list(self.conflicts), list(self.left), commit)

    # look ----------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        self.head = await self.repository.head()
        self.conflicts, self.left = {}, {}
        endings = tuple(FORMS)
        files, left = await self.repository.files(self.head, self.folder, endings) if self.head else ({}, [])
        self.left |= {each.path: each.why for each in left}
        self.theirs = {}
        for path, content in files.items():
            if not companions.of(path):
                self.theirs[path] = Theirs(*read(path, content))
            elif self.tests:
                self.theirs[path] = Theirs(None, *companions.read(path, content))
        async with tenant_tx(self.actor.workspace_id) as tx:
            rows = await tx.fetch("select path, flow_id, base from git_file")
        self.known = {row["path"]: Known(row["path"], row["flow_id"], row["base"]) for row in rows}
        await self._look_here()

    async def _look_here(self) -> None:
        listed = await studio.flows(self.actor)
        flows_known = [known for known in self.known.values() if not companions.of(known.path)]
        at = {known.flow_id: known.path for known in flows_known if known.flow_id is not None}
        fresh = sorted((flow for flow in listed if flow.id not in at and not flow.archived), key=lambda flow: flow.id)
        taken = {known.path.rpartition(".")[0] for known in flows_known if known.flow_id is not None}
        for flow, name in zip(fresh, names_for((flow.name for flow in fresh), taken), strict=True):
            there = next((f"{name}{end}" for end in FORMS if f"{name}{end}" in self.theirs), "")
            at[flow.id] = there or f"{name}{self.ending}"
        self.ours = {}
        for flow in listed:
            if (path := at.get(flow.id)) is not None:
                text = "" if flow.archived else await self._written(flow.id, path)
                self.ours[path] = Ours(flow.id, flow.name, path, text, flow.archived)
        for flow_path, mine in list(self.ours.items()) if self.tests else ():
            await self._look_beside(flow_path, mine)

    async def _look_beside(self, flow_path: str, mine: Ours) -> None:
        texts = {} if mine.archived else await checks.as_files(self.actor, mine.id)
        for path in companions.beside(flow_path):
            text = texts.get(companions.of(path))
            name = f"{mine.name}: {companions.WORDS[companions.of(path)]}"
            if text is not None and len(text.encode()) > MOST_FILE:
                self.left[path] = "It is larger than 8 MB."
                self.theirs.pop(path, None)
            elif text is not None or path in self.theirs or path in self.known:
                self.ours[path] = Ours(mine.id, name, path, text, mine.archived)

    async def _written(self, flow_id: UUID, path: str) -> str:
        return written(path, exported((await studio.draft(self.actor, flow_id))[0], catalogue.load()))

    # decide --------------------------------------------------------------------------------------------------------

    async def _decided(self, *, pull: bool) -> dict[str, str | None]:
        """Take over what changed there; gives back what is to be written there (None = removed)."""
        changes: dict[str, str | None] = {}
        every = sorted({*self.known, *self.ours, *self.theirs})
        for path in sorted(every, key=lambda path: bool(companions.of(path))):  # a flow before what lies beside it
            if companions.of(path) and not self._belongs(path):
                continue
            known, mine, there = self.known.get(path), self.ours.get(path), self.theirs.get(path)
            base = known.base if known is not None else None
            ours = mine.text if mine is not None and not mine.archived else None
            theirs = there.text if there is not None else None
            if there is not None and there.wrong and theirs != base:
                await self._undecided(path, "broken", there.wrong)
                continue
            match decide(base, ours, theirs):
                case "same":
                    await self._keep(path, theirs, "same")
                case "push":
                    changes[path] = ours
                case "pull" if not pull:
                    self.left[path] = "Newer in git."
                case "pull":
                    await self._pulled(path)
                case verdict:
                    await self._undecided(path, verdict, "")
        return changes

    def _belongs(self, path: str) -> bool:
        """Whether what lies beside a flow is looked at: the flow is here, and nobody has to say whether it goes."""
        if not self.tests or path in self.left:
            return False
        flow = companions.owner(path, self.ours)
        if not flow and path in self.theirs:
            self.left[path] = "There is no flow beside it."
        if not flow:
            return path not in self.theirs  # gone with its flow on both sides: there is nothing more to know of it
        if path not in self.ours:  # the flow came with this very sync
            mine = self.ours[flow]
            self.ours[path] = Ours(mine.id, f"{mine.name}: {companions.WORDS[companions.of(path)]}", path, None)
        return flow not in self.conflicts or flow in self.theirs

    async def _undecided(self, path: str, state: str, said: str) -> None:
        self.conflicts[path] = None
        await self._keep(path, None, state, said)

    async def _pulled(self, path: str) -> None:
        mine, there = self.ours.get(path), self.theirs[path]
        if ending := companions.of(path):
            await self._pulled_beside(path, ending, there.text)
            return
        assert there.flow is not None  # noqa: S101 -- what can't be read is never taken over
        try:
            flow_id = await self._taken(path, mine, there.flow)
        except Conflict:
            self.left[path] = "Somebody edited it at this moment."
            return
        except Refused as problem:
            await self._undecided(path, "broken", str(problem))
            return
        self.pulled[path] = None
        self.ours[path] = Ours(flow_id, there.flow.name, path, there.text)
        await self._keep(path, there.text, "same")

    async def _pulled_beside(self, path: str, ending: str, text: str) -> None:
        mine = self.ours[path]
        if (await checks.as_files(self.actor, mine.id)).get(ending) != mine.text:
            self.left[path] = "Somebody edited it at this moment."
            return
        try:
            await checks.take(self.actor, mine.id, ending, text)
        except Refused as problem:
            await self._undecided(path, "broken", str(problem))
            return
        self.pulled[path] = None
        self.ours[path] = Ours(mine.id, mine.name, path, text)
        await self._keep(path, text, "same")

    async def _taken(self, path: str, mine: Ours | None, document: Flow) -> UUID:
        name = document.name or path.rpartition("/")[2].rpartition(".")[0]
        if mine is None:
            return await flows.create_flow(self.actor, name, document)
        if mine.archived:
            await flows.unarchive(self.actor, mine.id)
        draft, rev = await studio.draft(self.actor, mine.id)
        if not mine.archived and written(path, exported(draft, catalogue.load())) != mine.text:
            raise Conflict("It was edited meanwhile.")
        whole = refilled(msgspec.structs.replace(document, name=name), draft, catalogue.load())
        await flows.replace_document(self.actor, mine.id, whole, rev)
        return mine.id

    async def _keep(self, path: str, text: str | None, state: str, said: str = "") -> None:
        """Note where a file stands. `text`: what both sides have now, None with "same" = neither has it."""
        mine, there, known = self.ours.get(path), self.theirs.get(path), self.known.get(path)
        flow_id = mine.id if mine is not None else None
        async with tenant_tx(self.actor.workspace_id) as tx:
            if state == "same" and text is None:
                await tx.execute("delete from git_file where path = $1", path)
                return
            base = text if state == "same" else known.base if known is not None else None
            theirs = None if state == "same" or there is None else there.text
            await tx.execute(
                """insert into git_file as g (workspace_id, path, flow_id, base, theirs, state, said)
                   values ($1, $2, $3, $4, $5, $6, $7)
                   on conflict (workspace_id, path) do update set flow_id = excluded.flow_id, base = excluded.base,
                       theirs = excluded.theirs, state = excluded.state, said = excluded.said, updated_at = now()
                    where (g.flow_id, g.base, g.theirs, g.state, g.said) is distinct from
                          (excluded.flow_id, excluded.base, excluded.theirs, excluded.state, excluded.said)""",
                self.actor.workspace_id,
                path,
                flow_id,
                base,
                theirs,
                state,
                said[:500],
            )


async def sync_both(
    actor: Actor, repository: Repository, folder: str, form: str, *, tests: bool, pull: bool, push: bool
) -> tuple[Done, str]:
    """(what was done, the branch's commit now). Raises what git and the studio raise; then nothing more is done."""
    work = _Sync(actor, repository, folder, form, tests)
    done = await work.run(pull=pull, push=push)
    return done, work.head

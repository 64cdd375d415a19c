"""What the pickers of a settings form offer: models, connections, flows to call. Read only when a field needs it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct, field

from app.db import tenant_tx
from app.files import queries as files
from app.gateway import queries as gateway
from app.studio.settings_form import Field, Option
from app.vault import queries as vault
from app.web import Actor


class Offers(Struct):
    """What the form may offer. `usual`: the model that answers when a step names none."""

    models: list[gateway.ModelView] = field(default_factory=list)
    usual: gateway.ModelView | None = None
    connections: list[Option] = field(default_factory=list)
    flows: list[Option] = field(default_factory=list)
    secrets: list[Option] = field(default_factory=list)
    files: list[Option] = field(default_factory=list)


async def for_fields(actor: Actor, flow_id: UUID, fields: Sequence[Field]) -> Offers:
    """Empty where no field asks; 5 statements for models and connections, 1 for flows, for secrets and for files."""
    wanted = {field.control for field in fields} | {inner.control for field in fields for inner in field.row}
    found = Offers()
    if wanted & {"model", "connection"}:
        overview = await gateway.overview(actor)
        found.models, found.usual = overview.models, overview.effective
        found.connections = [Option(str(each.id), each.name) for each in overview.connections if not each.bundled]
    if "secret" in wanted:
        found.secrets = [Option(each.name, _kept(each)) for each in await vault.secrets(actor)]
    if "file" in wanted:
        found.files = [Option(msgspec.to_builtins(each.file), each.name) for each in await files.files(actor)]
    if "flow" in wanted:
        found.flows = await _flows(actor, flow_id)
    return found


def _kept(secret: vault.SecretView) -> str:
    ends = f", ends in {secret.hint}" if secret.hint else ""
    return f"{secret.name} · set on {secret.updated_at:%d %b %Y}{ends}"


async def _flows(actor: Actor, flow_id: UUID) -> list[Option]:
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select name, live_version_id from flow where live_version_id is not null and archived_at is null "
            "and id <> $1 order by name limit 500",
            flow_id,
        )
    return [Option(str(row["live_version_id"]), row["name"]) for row in rows]

"""Single blocks of a draft: what the page editor changes, one at a time, while others work on other blocks."""

from uuid import UUID, uuid4

from msgspec.structs import replace

from app.db import Tx, tenant_tx
from app.errors import NotFound, Refused
from app.sites import blocks as page_blocks
from app.sites.blocks import MAX_BLOCKS, Block
from app.sites.service.pages import locked
from app.sites.service.sites import may_edit
from app.web.actor import Actor


async def add_block(actor: Actor, page_id: UUID, block: Block, position: int | None = None) -> Block:
    """Put a block into the draft (at the end unless said) under an id that is free. Returns it as it was put."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        blocks = await _of(tx, page_id)
        if len(blocks) >= MAX_BLOCKS:
            raise Refused(f"A page holds at most {MAX_BLOCKS} parts.", remedy="Take one away, or make a second page.")
        if any(each.id == block.id for each in blocks):
            block = replace(block, id=f"{block.id[:30]}-{uuid4().hex[:6]}")
        blocks.insert(len(blocks) if position is None else position, block)
        await _keep(tx, page_id, blocks)
        return block


async def change_block(actor: Actor, page_id: UUID, block: Block) -> None:
    """Replace the block of the same id. Raises NotFound when somebody took it away meanwhile."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        blocks = await _of(tx, page_id)
        blocks[_place(blocks, block.id)] = block
        await _keep(tx, page_id, blocks)


async def remove_block(actor: Actor, page_id: UUID, block_id: str) -> tuple[Block, int]:
    """Take a block away. Returns it and its place, for undo."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        blocks = await _of(tx, page_id)
        place = _place(blocks, block_id)
        taken = blocks.pop(place)
        await _keep(tx, page_id, blocks)
        return taken, place


async def place_block(actor: Actor, page_id: UUID, block_id: str, position: int) -> None:
    """Move a block to `position` (0 = top; past the end means the end)."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        blocks = await _of(tx, page_id)
        moved = blocks.pop(_place(blocks, block_id))
        blocks.insert(max(0, position), moved)
        await _keep(tx, page_id, blocks)


async def _of(tx: Tx, page_id: UUID) -> list[Block]:
    return page_blocks.decode((await locked(tx, page_id))["blocks"])


def _place(blocks: list[Block], block_id: str) -> int:
    for place, block in enumerate(blocks):
        if block.id == block_id:
            return place
    raise NotFound("This part of the page is not there any more.", remedy="Reload the page.")


async def _keep(tx: Tx, page_id: UUID, blocks: list[Block]) -> None:
    await tx.execute(
        "update page set blocks = $2, rev = rev + 1, updated_at = now() where id = $1",
        page_id, page_blocks.encode(blocks),
    )  # fmt: skip

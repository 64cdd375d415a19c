"""The closed form of a secret: AES-256-GCM under a workspace's data key, which is wrapped by the instance's key.

sealed = version (1 byte) | data key id (16) | nonce (12) | ciphertext and tag
What a secret belongs to is authenticated with it (AAD = workspace|table|column|row): a sealed value copied to another
row, column or workspace does not open there.
"""

import hashlib
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from app import config
from app.errors import DomainError

VERSION = 1
NONCE = 12
PURPOSE = "vault/key-encryption-key"


class CannotOpen(DomainError):
    """The key is gone, or the value was changed or moved."""

    default_status = 500
    default_code = "cannot_open"


class Place(Struct, frozen=True):
    """Where a sealed value lives. `row` is the id of its row, as the table's primary key says."""

    workspace_id: UUID
    table: str
    column: str
    row: str

    @property
    def bytes(self) -> bytes:
        return f"{self.workspace_id}|{self.table}|{self.column}|{self.row}".encode()


class KeyKey(Struct, frozen=True):
    """A key-encryption key; `id` tells which one wrapped something, and nothing about the key."""

    id: str
    key: bytes


def key_keys(*, again: bool = False) -> list[KeyKey]:
    """All there are, the current one first."""
    found = []
    for secret in config.secret_keys(again=again):
        key = config.derive(PURPOSE, secret)
        found.append(KeyKey("k1-" + hashlib.sha256(b"id" + key).hexdigest()[:24], key))
    return found


def wrap(workspace_id: UUID, key_id: UUID, data_key: bytes, kek: KeyKey) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(kek.key).encrypt(nonce, data_key, _of_key(workspace_id, key_id))


def unwrap(workspace_id: UUID, key_id: UUID, wrapped: bytes, kek_id: str) -> bytes:
    """The data key. Raises CannotOpen when the instance's secret that wrapped it is not there."""
    for again in (False, True):  # the file may have been rotated while this process runs
        for kek in key_keys(again=again):
            if kek.id == kek_id:
                try:
                    return AESGCM(kek.key).decrypt(wrapped[:NONCE], wrapped[NONCE:], _of_key(workspace_id, key_id))
                except InvalidTag:
                    raise CannotOpen("The key of this workspace was changed in the database.") from None
    raise CannotOpen(
        f"The secrets of this workspace were closed with another instance secret ({kek_id}).",
        remedy="Put the former AGENTBASE_SECRET_KEY behind the present one, separated by a comma, and restart.",
    )


def seal(place: Place, key_id: UUID, data_key: bytes, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return bytes([VERSION]) + key_id.bytes + nonce + AESGCM(data_key).encrypt(nonce, plain, place.bytes)


def key_of(sealed: bytes) -> UUID:
    """Which data key closed this. Raises CannotOpen when it is no sealed value."""
    if len(sealed) < 1 + 16 + NONCE + 16 or sealed[0] != VERSION:
        raise CannotOpen("This is not a value sealed by Agentbase.")
    return UUID(bytes=sealed[1:17])


def unseal(place: Place, data_key: bytes, sealed: bytes) -> bytes:
    try:
        return AESGCM(data_key).decrypt(sealed[17 : 17 + NONCE], sealed[17 + NONCE :], place.bytes)
    except InvalidTag:
        raise CannotOpen(f"The sealed {place.column} of this {place.table} was changed or belongs elsewhere.") from None


def _of_key(workspace_id: UUID, key_id: UUID) -> bytes:
    return f"{workspace_id}|data_key|wrapped|{key_id}".encode()

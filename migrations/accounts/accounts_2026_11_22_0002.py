"""The language somebody reads in."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-22T00:02:accounts"

LANGUAGE = """
alter table user_account
    add column language text not null default '' check (length(language) <= 20);
comment on column user_account.language is 'code of a catalogue in app/language; empty = as the browser says';
"""


async def forwards() -> MigrationManager:
    return migration("accounts", ID, "user_account: language", LANGUAGE)

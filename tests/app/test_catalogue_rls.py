"""Walks the catalogue of the migrated database: no table without row security, none that Piccolo sees differently."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import asyncpg
import pytest
from piccolo.table import Table

import app

# Tables without a workspace_id, each with the reason why it belongs to no workspace.
SHARED = {
    "migration": "what ran in this database",
    "workspace": "is the workspace: its policy compares id",
    "user_account": "a person may be in several workspaces; policy by membership",
    "identity": "an outside sign-in of a person; system role only",
    "worker": "heartbeats of processes",
    "run_followed": "how far jobs over all workspaces have come; system role only",
}
# Tables with a workspace_id, but without any right for web and sites: only the system role reaches them.
CLOSED = {"session": "found by its hash before anybody knows the workspace"}
ROLES = ("agentbase_app", "agentbase_site")
RULE = "(workspace_id = (NULLIF(current_setting('app.workspace_id'::text, true), ''::text))::uuid)"


@pytest.fixture
async def owner(settings):
    connection = await asyncpg.connect(settings.database_owner_url)
    yield connection
    await connection.close()


async def tables(owner) -> dict[str, asyncpg.Record]:
    rows = await owner.fetch(
        """
        select c.relname as name, c.relrowsecurity as on, c.relforcerowsecurity as forced,
               pg_get_userbyid(c.relowner) as owner,
               exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id'
                       and not a.attisdropped) as tenant,
               (select a.attnotnull from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'workspace_id') as filled
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p')
        """
    )
    return {row["name"]: row for row in rows}


async def policies(owner) -> dict[str, dict[str, asyncpg.Record]]:
    found: dict[str, dict[str, asyncpg.Record]] = {}
    for row in await owner.fetch("select * from pg_policies where schemaname = 'public'"):
        found.setdefault(row["tablename"], {})[row["policyname"]] = row
    return found


async def test_every_table_of_a_workspace_is_closed_by_the_same_rule(owner):
    seen, rules = await tables(owner), await policies(owner)
    assert len(seen) > 10
    for name, table in seen.items():
        if not table["tenant"] or name in CLOSED:
            continue
        assert table["on"] and table["forced"], f"{name}: row security is not enabled and forced. Use tenant_table()."
        assert table["filled"], f"{name}.workspace_id may be null: such a row would belong to nobody."
        permissive = {key: rule for key, rule in rules[name].items() if rule["permissive"] == "PERMISSIVE"}
        for key, rule in permissive.items():
            if set(rule["roles"]) == {"agentbase_system"}:
                continue
            # A second permissive policy widens the first: each must hold the workspace rule, at least as one condition.
            for side in ("qual", "with_check"):
                assert rule[side] is None or RULE in rule[side], f"{name}: policy {key} does not compare workspace_id."
        assert rules[name]["workspace"]["qual"] == rules[name]["workspace"]["with_check"] == RULE, name
        assert set(rules[name]["workspace"]["roles"]) == set(ROLES), name


async def test_every_table_without_a_workspace_is_named_here_with_its_reason(owner):
    without = {name for name, table in (await tables(owner)).items() if not table["tenant"]}
    assert without <= set(SHARED), f"No workspace_id, and no reason: {sorted(without - set(SHARED))}"


async def test_nobody_but_the_owner_role_owns_anything_and_public_has_no_rights(owner):
    for name, table in (await tables(owner)).items():
        assert table["owner"] == "agentbase_owner", name
    open_to_all = await owner.fetch(
        "select table_name, privilege_type from information_schema.role_table_grants "
        "where grantee = 'PUBLIC' and table_schema = 'public'"
    )
    assert not open_to_all
    assert not await owner.fetchval("select has_schema_privilege('agentbase_app', 'public', 'create')")
    assert not await owner.fetch(
        "select rolname from pg_roles where rolname like 'agentbase%' and (rolsuper or rolbypassrls or rolcreaterole)"
    )


async def test_shared_tables_give_web_and_sites_no_more_than_a_reason_allows(owner):
    rows = await owner.fetch(
        "select table_name, grantee, array_agg(privilege_type::text order by privilege_type) as rights "
        "from information_schema.role_table_grants where grantee = any($1) and table_schema = 'public' "
        "and table_name = any($2) group by 1, 2",
        list(ROLES),
        [*SHARED, *CLOSED],
    )
    rights = {(row["table_name"], row["grantee"]): row["rights"] for row in rows}
    for name in (*CLOSED, "identity", "migration"):
        assert not [key for key in rights if key[0] == name], f"{name} is for the system role alone."
    assert rights.get(("worker", "agentbase_app"), ["SELECT"]) == ["SELECT"]


async def test_the_sites_role_changes_no_settings_of_a_workspace(owner):
    """What a visitor's request may write: what visitors send, and the record of the runs they start."""
    rows = await owner.fetch(
        "select table_name, array_agg(privilege_type::text) as rights from information_schema.role_table_grants "
        "where grantee = 'agentbase_site' and table_schema = 'public' group by 1"
    )
    deleting = {row["table_name"] for row in rows if {"DELETE", "TRUNCATE"} & set(row["rights"])}
    assert not deleting
    for name in ("workspace", "user_account", "membership", "flow", "site", "page", "connection", "secret", "api_key"):
        (rights,) = [set(row["rights"]) for row in rows if row["table_name"] == name] or [set()]
        assert rights <= {"SELECT"}, f"{name}: a visitor's request could write settings ({rights})."


async def test_security_definer_functions_and_views_that_bypass_row_security_do_not_exist(owner):
    functions = await owner.fetch(
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
        "where n.nspname = 'public' and p.prosecdef"
    )
    assert not functions
    views = await owner.fetch(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = 'public' and c.relkind = 'v' "
        "and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on'], false)"
    )
    assert not views


async def test_unique_keys_of_a_workspace_can_not_tell_one_what_another_has(owner):
    """A unique index without workspace_id answers "taken" across workspaces. Ids are random, so primary keys may."""
    rows = await owner.fetch(
        """
        select t.relname as table, i.relname as index, pg_get_indexdef(x.indexrelid) as definition
        from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
        join pg_namespace n on n.oid = t.relnamespace
        where n.nspname = 'public' and x.indisunique and not x.indisprimary
        """
    )
    seen = await tables(owner)
    for row in rows:
        if seen[row["table"]]["tenant"] and row["table"] not in CLOSED and row["index"] not in ACROSS:
            columns = row["definition"].partition(" USING ")[2]
            told = f"{row['index']} is unique across workspaces: {columns}. Name it in ACROSS with the reason."
            assert re.search(r"\b(\w+_)?id\b", columns), told


ACROSS = {
    "site_slug_uq": "the slug is a public host name: taken is taken",
    "api_key_digest_key": "hash of 256 random bits",
    "invite_digest_key": "hash of 256 random bits",
    "trigger_token_uq": "hash of a random token",
    "flow_share_token_uq": "hash of a derived token of 256 bits",
    "stage_address_token_uq": "hash of a derived token of 256 bits",
    "run_share_token_uq": "hash of a random token",
    "run_ask_token_uq": "hash of a derived token of 256 bits",
    "git_link_hook_ix": "hash of 256 random bits",
    "node_exec_idem_uq": "HMAC over ids",
    "flow_op_undoes_uq": "the id of an operation",
}


def piccolo_tables() -> Iterator[type[Table]]:
    """Every Piccolo table of every domain: app.<domain>.tables, a file or a folder."""
    for domain in pkgutil.iter_modules(app.__path__, "app."):
        if not domain.ispkg:
            continue
        name = f"{domain.name}.tables"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as problem:
            if problem.name != name:
                raise
            continue
        modules = [module]
        for part in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
            modules.append(importlib.import_module(part.name))
        seen: set[type[Table]] = set()
        for module in modules:
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, Table) and value is not Table and value not in seen:
                    if value.__module__.startswith(name):
                        seen.add(value)
                        yield value


# Piccolo's name of a type → PostgreSQL's
SAME = {
    "VARCHAR": "character varying", "TEXT": "text", "UUID": "uuid", "BIGINT": "bigint", "INTEGER": "integer",
    "SMALLINT": "smallint", "BOOLEAN": "boolean", "JSONB": "jsonb", "JSON": "json", "BYTEA": "bytea",
    "TIMESTAMPTZ": "timestamp with time zone", "TIMESTAMP": "timestamp without time zone", "DATE": "date",
    "INTERVAL": "interval", "REAL": "real", "DOUBLE PRECISION": "double precision", "NUMERIC": "numeric",
    "SERIAL": "integer", "BIGSERIAL": "bigint",
}  # fmt: skip


async def test_piccolo_tables_have_exactly_the_migrated_columns(owner):
    rows = await owner.fetch(
        "select c.relname as table, a.attname as name, format_type(a.atttypid, null) as type, a.attnotnull as filled "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = 'public' and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped"
    )
    migrated: dict[str, dict[str, asyncpg.Record]] = {}
    for row in rows:
        migrated.setdefault(row["table"], {})[row["name"]] = row
    wrong, count = [], 0
    for table in piccolo_tables():
        count += 1
        name = table._meta.tablename
        if name not in migrated:
            wrong.append(f"{table.__module__}.{table.__name__}: no migration makes a table {name!r}")
            continue
        ours = {column._meta.db_column_name: column for column in table._meta.columns}
        theirs = migrated[name]
        for missing in sorted(theirs.keys() - ours.keys()):
            wrong.append(f"{name}.{missing} is migrated but not in {table.__name__}")
        for extra in sorted(ours.keys() - theirs.keys()):
            wrong.append(f"{name}.{extra} is in {table.__name__} but not migrated")
        for key in sorted(ours.keys() & theirs.keys()):
            column, row = ours[key], theirs[key]
            said = column.column_type.partition("(")[0].upper()
            expected = f"{SAME.get(said.removesuffix('[]'), said.lower())}{'[]' if said.endswith('[]') else ''}"
            if expected != row["type"] and not (expected in TEXTS and row["type"] in TEXTS):
                wrong.append(f"{name}.{key} is {row['type']} in the database, {said} in {table.__name__}")
            if row["filled"] == column._meta.null and not column._meta.primary_key:
                wrong.append(f"{name}.{key} {'may not' if row['filled'] else 'may'} be null; {table.__name__} differs")
    assert not wrong, "\n".join(wrong)
    assert count >= 5


TEXTS = {"text", "character varying"}
"""Piccolo treats them alike; we use text."""

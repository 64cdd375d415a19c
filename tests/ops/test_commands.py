import io
import json
import os
import re
import resource
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app import cli, config
from app.embedded.local_model import missing
from app.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
CHAT = ROOT / "marketplace/packages/flows/chat-assistant/flow.json"


def agentbase(*arguments, data, env=None, timeout=120, cwd=None):
    """The command as people run it, in a process of its own, on a data folder of its own."""
    clean = {key: value for key, value in os.environ.items() if key not in config.names()}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env={**clean, "AGENTBASE_DATA": str(data), "AGENTBASE_PORT": "1", **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=cwd,
    )


def flow(**changes):
    return json.dumps(
        {
            "format": 1,
            "name": "Echo",
            "nodes": [{"id": "in", "type": "start.chat"}, {"id": "out", "type": "show.answer"}],
            "edges": [{"from": "in.message", "to": "out.text"}],
            **changes,
        }
    )


def test_help_comes_at_once_and_names_every_command(tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    shown = agentbase("--help", data=tmp_path)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1.5  # of a processor; 0.1 s it takes
    for name in cli.COMMANDS:
        assert f"  {name} " in shown.stdout


def test_help_reads_no_command(tmp_path):
    code = (
        "import sys; from app.cli import cli; cli.main(['--help'], standalone_mode=False);"
        "heavy = {'litestar', 'piccolo', 'asyncpg', 'litellm', 'networkx'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("module", ["app.main", "app.public", "app.worker"])
def test_a_server_starts_without_what_takes_seconds_to_read(module):
    code = (
        f"import sys, {module} as module; getattr(module, 'create_application', lambda: None)();"
        "heavy = {'litellm', 'pydantic', 'networkx', 'openai', 'stripe', 'onnxruntime', 'tokenizers', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name, tmp_path):
    shown = agentbase(name, "--help", data=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Usage: agentbase ") or "Usage: python -m app.cli" in shown.stdout


def test_a_wrong_setting_is_one_sentence_and_no_traceback(tmp_path):
    done = agentbase("doctor", data=tmp_path, env={"AGENTBASE_PORT": "eight"})
    assert done.returncode == 1
    assert "AGENTBASE_PORT" in done.stderr and "Traceback" not in done.stderr


def test_the_schema_of_a_flow_is_json_schema(tmp_path):
    schema = json.loads(agentbase("schema", "flow", data=tmp_path).stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "nodes" in json.dumps(schema)


def test_check_reads_all_files_of_a_folder_and_names_what_is_wrong(tmp_path):
    (tmp_path / "good.json").write_text(flow())
    good = agentbase("check", str(tmp_path), data=tmp_path)
    assert (good.returncode, good.stdout) == (0, f"{tmp_path / 'good.json'}: fine\n"), good.stdout + good.stderr
    (tmp_path / "bad.json").write_text(flow(edges=[{"from": "in.message", "to": "nobody.text"}]))
    (tmp_path / "worse.json").write_text("{")
    bad = agentbase("check", str(tmp_path), data=tmp_path)
    assert bad.returncode == 1
    assert "nobody" in bad.stdout and "not JSON" in bad.stdout and "good.json: fine" in bad.stdout


def test_a_new_node_is_a_package_whose_own_tests_pass(tmp_path):
    made = agentbase("new", "node", "acme.weather_report", "--in", str(tmp_path), data=tmp_path)
    folder = tmp_path / "acme-weather-report"
    assert made.returncode == 0 and str(folder) in made.stdout
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0 and "2 passed" in tested.stdout, tested.stdout
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,B,I,UP", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_a_new_flow_passes_the_check_and_its_own_test(tmp_path):
    made = agentbase("new", "flow", "Greet: somebody", "--in", str(tmp_path), data=tmp_path / "data")
    folder = tmp_path / "greet-somebody"
    assert made.returncode == 0 and str(folder) in made.stdout, made.stderr
    checked = agentbase("check", str(folder), data=tmp_path / "data")
    assert checked.stdout == f"{folder / 'flow.json'}: fine\n"
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0 and "1 passed" in tested.stdout, tested.stdout


def test_a_new_node_never_writes_over_what_is_there(tmp_path):
    (tmp_path / "acme-weather").mkdir()
    again = agentbase("new", "node", "acme.weather", "--in", str(tmp_path), data=tmp_path)
    assert again.returncode == 2 and "already there" in again.stderr
    wrong = agentbase("new", "node", "Weather", "--in", str(tmp_path), data=tmp_path)
    assert wrong.returncode == 2 and "acme.weather" in wrong.stderr


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def owner(data):
    """A data folder with one owner, nothing running."""
    made = agentbase("key", "create", data=data, env={"AGENTBASE_ADMIN_EMAIL": "", "AGENTBASE_ADMIN_PASSWORD": ""})
    assert made.returncode == 1 and made.stderr.splitlines()[1:] == ["  → Open the dashboard and do the set-up first."]
    with_database(
        data,
        "insert into workspace (name) values ('Garden');"
        " insert into user_account (email, name) values ('ada@example.org', 'Ada');"
        " insert into membership (workspace_id, user_id, role)"
        " select w.id, u.id, 'owner' from workspace w, user_account u;",
    )
    return data


def with_database(data, sql):
    server = EmbeddedPostgres(data / "postgres")
    server.start()
    try:
        return server.psql(sql)
    finally:
        server.stop()


def test_a_key_is_made_on_this_machine_and_kept_as_a_hash(owner):
    made = agentbase("key", "create", "--name", "Robot", "--rights", "run", data=owner)
    key = made.stdout.strip()
    assert made.returncode == 0 and key.startswith("ab_"), made.stderr
    assert with_database(owner, "select name from api_key") == "Robot\n"
    assert key not in with_database(owner, "select row_to_json(k) from api_key k")


def test_a_backup_brings_everything_back_and_is_readable_by_us_alone(owner, tmp_path):
    (owner / "secret.key").write_text("s" * 48)
    (owner / "secret.key").chmod(0o600)
    file = tmp_path / "monday.backup"
    written = agentbase("backup", str(file), data=owner)
    assert written.returncode == 0 and "keep it where you would keep a password" in written.stdout, written.stderr
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name], "nothing is left beside it"
    assert agentbase("backup", str(file), data=owner).returncode == 2, "a backup is never written over"

    with_database(
        owner,
        "update workspace set name = 'Desert'; set role agentbase_owner;"
        " create table of_a_later_version (workspace_id uuid references workspace)",
    )
    back = agentbase("restore", str(file), "--yes", data=owner)
    assert back.returncode == 0, back.stderr
    assert with_database(owner, "select name, to_regclass('of_a_later_version') from workspace") == "Garden|\n"
    assert "secret key" not in back.stdout, "it is the one that is there"

    elsewhere = tmp_path / "other-machine"
    elsewhere.mkdir()
    (elsewhere / "secret.key").write_text("another " * 6)
    (elsewhere / "secret.key").chmod(0o600)
    restored = agentbase("restore", str(file), "--yes", data=elsewhere)
    assert restored.returncode == 0 and "Its secret key is now" in restored.stdout, restored.stderr
    assert with_database(elsewhere, "select name from workspace") == "Garden\n"
    forced = with_database(elsewhere, "select count(*) from pg_class where relforcerowsecurity")
    assert forced == with_database(owner, "select count(*) from pg_class where relforcerowsecurity") != "0\n"
    assert (elsewhere / "secret.key").read_text().strip() == "s" * 48
    assert (elsewhere / "secret.key").stat().st_mode & 0o077 == 0
    assert (elsewhere / "secret.key.before-restore").read_text() == "another " * 6


def test_a_backup_leaves_the_secret_out_when_asked_to_or_when_it_is_a_setting(owner, tmp_path):
    (owner / "secret.key").write_text("s" * 48)
    (owner / "secret.key").chmod(0o600)
    without = agentbase("backup", str(tmp_path / "a"), "--without-secret", data=owner)
    assert without.returncode == 0 and f"Keep a copy of {owner / 'secret.key'}" in without.stdout
    given = agentbase("backup", str(tmp_path / "b"), data=owner, env={"AGENTBASE_SECRET_KEY": "x" * 40})
    assert given.returncode == 0 and "Keep a copy of AGENTBASE_SECRET_KEY" in given.stdout
    for name in "ab":
        assert "secret.key" not in tarfile.open(tmp_path / name).getnames()
    back = agentbase("restore", str(tmp_path / "a"), "--yes", data=owner)
    assert back.returncode == 0 and "It holds no secret key" in back.stdout


def test_a_backup_of_a_newer_agentbase_is_refused(owner, tmp_path):
    file = tmp_path / "later.backup"
    assert agentbase("backup", str(file), data=owner).returncode == 0
    with tarfile.open(file) as archive:
        dump = archive.extractfile("database.dump").read()
    with tarfile.open(file, "w") as archive:
        about = json.dumps({"format": 2, "agentbase": "9.0", "written": "2030"}).encode()
        for name, content in {"backup.json": about, "database.dump": dump}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    refused = agentbase("restore", str(file), "--yes", data=owner)
    assert refused.returncode == 1 and "a newer Agentbase (9.0)" in refused.stderr, refused.stderr


def test_flows_go_out_as_files_and_come_back_the_same_byte_for_byte(owner, tmp_path):
    """Out of one installation, into another and out of that: the same bytes, as JSON and as YAML."""
    source = json.loads(CHAT.read_text())
    source["nodes"][1]["settings"] |= {"zebra": 1, "instructions": "Be kind.\nBe short."}
    (tmp_path / "in").mkdir()
    for name in ("Garden helper", "Garden: helper", "Zoë's café"):
        (tmp_path / "in" / f"{len(name)}-{name}.json").write_text(json.dumps(source | {"name": name}))
    made = agentbase("import", str(tmp_path / "in"), data=owner)
    assert made.returncode == 0 and len(made.stdout.splitlines()) == 3, made.stderr

    for form in ("json", "yaml"):
        once, twice = tmp_path / f"once-{form}", tmp_path / f"twice-{form}"
        out = agentbase("export", "--to", str(once), "--form", form, data=owner)
        assert out.returncode == 0, out.stderr
        names = {file.name for file in once.iterdir()}
        assert names == {f"garden-helper.{form}", f"garden-helper-2.{form}", f"zoë-s-café.{form}"}
        assert agentbase("check", str(once / f"garden-helper.{form}"), data=owner).returncode == 1, "it has a zebra"

        updated = agentbase("import", str(once), "--update", data=owner)
        assert updated.returncode == 0 and updated.stdout.count("(updated)") == 3, updated.stderr
        assert agentbase("export", "--to", str(twice), "--form", form, data=owner).returncode == 0
        assert {file.name: file.read_bytes() for file in once.iterdir()} == {
            file.name: file.read_bytes() for file in twice.iterdir()
        }
    one = agentbase("export", "Zoë's café", "--form", "yaml", data=owner)
    assert one.stdout == (tmp_path / "once-yaml" / "zoë-s-café.yaml").read_text()


def test_import_makes_nothing_when_one_file_is_no_flow_and_export_says_which_it_means(owner, tmp_path):
    (tmp_path / "a.json").write_text(flow())
    (tmp_path / "b.yaml").write_text("nodes: 3")
    refused = agentbase("import", str(tmp_path / "a.json"), str(tmp_path / "b.yaml"), data=owner)
    assert refused.returncode == 2 and "b.yaml" in refused.stderr
    assert with_database(owner, "select count(*) from flow") == "0\n"
    assert agentbase("export", "Echo", data=owner).stderr.strip().endswith("No flow is called 'Echo'.")
    for _ in range(2):
        assert agentbase("import", str(tmp_path / "a.json"), data=owner).returncode == 0
    assert "2 flows are called 'Echo'. Say which by its id" in agentbase("export", "Echo", data=owner).stderr
    unclear = agentbase("import", "--update", str(tmp_path / "a.json"), data=owner)
    assert unclear.returncode == 2 and "Rename all but one" in unclear.stderr


def test_restore_refuses_a_file_that_is_no_backup_and_changes_nothing(owner, tmp_path):
    (tmp_path / "holiday.jpg").write_text("not a dump")
    refused = agentbase("restore", str(tmp_path / "holiday.jpg"), "--yes", data=owner)
    assert refused.returncode == 1 and "nothing was changed" in refused.stderr
    assert with_database(owner, "select name from workspace") == "Garden\n"


def test_doctor_looks_at_everything_and_makes_nothing(data):
    seen = agentbase("doctor", data=data, env={"AGENTBASE_PORT": "18765"})
    for what in ("Python", "Data folder", "Web", "PostgreSQL", "Valkey", "Local model"):
        assert re.search(f"^[✓–] {what}: ", seen.stdout, re.M), seen.stdout
    assert seen.returncode == 0
    assert not data.exists()


def test_doctor_says_what_to_do_about_servers_that_do_not_answer(data):
    wrong = {
        "DATABASE_URL": "postgresql://agentbase:hidden-word@127.0.0.1:9/agentbase",
        "REDIS_URL": "redis://:hidden-word@127.0.0.1:9/0",
        "AGENTBASE_LOCAL_MODEL_URL": "http://127.0.0.1:9/v1",
    }
    seen = agentbase("doctor", data=data, env={**wrong, "AGENTBASE_PORT": "18766"})
    assert seen.returncode == 1
    for what in ("PostgreSQL", "Redis", "Local model"):
        assert re.search(f"^✗ {what}: .+\n +→ .+", seen.stdout, re.M), seen.stdout
    assert "hidden-word" not in seen.stdout + seen.stderr


@pytest.mark.parametrize("command", ["migrate", "web", "worker", "key create"])
def test_a_database_that_does_not_answer_is_one_sentence_and_no_traceback(data, command):
    away = {"DATABASE_URL": "postgresql://agentbase:hidden-word@127.0.0.1:9/agentbase", "AGENTBASE_PORT": "18769"}
    done = agentbase(*command.split(), data=data, env=away)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "The database at 127.0.0.1:9 does not answer" in said and "Is DATABASE_URL right" in said, said
    assert "Traceback" not in said and "hidden-word" not in said


def test_a_database_that_lets_nobody_in_says_why(servers, tmp_path):
    known = urlsplit(servers.login)
    place = f"@{known.hostname}:{known.port}"
    for url, why in (
        (f"postgresql://agentbase:hidden-word{place}/agentbase", "does not let 'agentbase' in with this password"),
        (f"postgresql://agentbase:{known.password}{place}/no_such", "has no database 'no_such'"),
    ):
        done = agentbase("migrate", data=tmp_path, env={"DATABASE_URL": url})
        assert done.returncode == 1 and f"agentbase: The database at {place[1:]} {why}." in done.stderr, done.stderr
        assert "Traceback" not in done.stderr and "hidden-word" not in done.stderr


def test_doctor_finds_an_agentbase_that_runs_on_another_port(data):
    from app.embedded.folder import FolderLock, private_folder

    lock = FolderLock(private_folder(data) / "up.lock", "Agentbase")
    lock.take()
    seen = agentbase("doctor", data=data, env={"AGENTBASE_PORT": "18770"})
    lock.release()
    assert f"agentbase up runs here (process {os.getpid()}), but not on port 18770" in seen.stdout
    seen = agentbase("doctor", data=data, env={"AGENTBASE_PORT": "18770"})
    assert "not running; port 18770 is free" in seen.stdout


def test_doctor_knows_the_database_once_there_is_one(owner):
    seen = agentbase("doctor", data=owner, env={"AGENTBASE_PORT": "18767"})
    for line in ("✓ PostgreSQL: 18", "✓ pgvector", "✓ Clock", "✓ Migrations: up to date"):
        assert line in seen.stdout, seen.stdout


def test_the_health_check_of_a_container_fails_where_nobody_lives(data):
    assert agentbase("doctor", "--live", data=data, env={"AGENTBASE_PORT": "18768"}).returncode == 1


def test_migrate_says_what_it_did_and_may_be_repeated(servers, tmp_path):
    env = {"DATABASE_URL": servers.login, "DATABASE_OWNER_URL": servers.owner}
    assert agentbase("migrate", data=tmp_path, env=env).stdout == "up to date\n"
    assert agentbase("migrate", "--dry-run", data=tmp_path, env=env).stdout == "up to date\n"


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_shipped_flow_answers_with_the_local_model_on_a_fresh_machine(data):
    answered = agentbase("run", str(CHAT), "--input", '{"message": "Hello"}', data=data)
    assert answered.returncode == 0, answered.stderr
    assert len(answered.stdout.strip()) > 3 and answered.stderr == ""
    whole = json.loads(agentbase("run", str(CHAT), "--input", '{"message": "Hello"}', "--json", data=data).stdout)
    assert whole["text"].strip()


def test_a_flow_without_a_model_runs_at_once_and_shows_its_events(tmp_path):
    (tmp_path / "echo.json").write_text(flow())
    ran = agentbase(
        "run", str(tmp_path / "echo.json"), "--input", '{"message": "Good morning"}', data=tmp_path / "data"
    )
    assert ran.stdout == "Good morning\n", ran.stderr
    told = agentbase(
        "run", str(tmp_path / "echo.json"), "--input", '{"message": "x"}', "--events", data=tmp_path / "data"
    )
    types = [json.loads(line)["type"] for line in told.stdout.splitlines() if line.startswith("{")]
    assert types[0] == "run.started" and types[-1] == "run.succeeded" and "step.succeeded" in types
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("given", ["{", '"hi"', "hi"])
def test_a_wrong_input_is_said_with_an_example(given, tmp_path):
    (tmp_path / "echo.json").write_text(flow())
    refused = agentbase("run", str(tmp_path / "echo.json"), "--input", given, data=tmp_path)
    assert refused.returncode == 2 and """--input '{"message": "Hello"}'""" in refused.stderr


def test_a_run_that_fails_says_which_step_and_ends_with_1(tmp_path):
    digest = ROOT / "marketplace/packages/flows/form-to-text/flow.json"
    failed = agentbase(
        "run", str(digest), "--input", "{}", data=tmp_path / "data", env={"AGENTBASE_LOCAL_MODEL": "off"}
    )
    assert failed.returncode == 1 and "agentbase: The run failed. Step '" in failed.stderr
    assert "Traceback" not in failed.stderr

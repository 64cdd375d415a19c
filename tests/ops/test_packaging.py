"""The files people install with say what the code really does. No Docker and no network are needed for it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from app import config
from app.embedded.folder import free_port

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("web", "worker", "migrate")


def test_the_example_environment_lists_exactly_the_settings_that_are_read():
    lines = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    assert sorted(lines) == sorted(config.names())
    assert len(lines) == len(set(lines))


def test_the_example_environment_holds_the_defaults():
    text = (ROOT / ".env.example").read_text()
    written = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.M))
    assert config.load(written) == config.load({})


def test_every_setting_is_explained():
    text = (ROOT / "docs/operate/settings.md").read_text()
    assert [name for name in config.names() if f"`{name}`" not in text] == []


def test_compose_passes_every_setting_on_and_no_other():
    passed = set(COMPOSE["services"]["web"]["environment"])
    # one container is one worker, and only `migrate` may know the owner of the tables
    assert passed == set(config.names()) - {"AGENTBASE_WORKERS", "DATABASE_OWNER_URL"}
    assert set(COMPOSE["services"]["migrate"]["environment"]) == passed | {"DATABASE_OWNER_URL"}


def test_compose_runs_postgres_valkey_web_and_worker_and_waits_for_health():
    services = COMPOSE["services"]
    assert {"postgres", "valkey", "migrate", "web", "worker"} <= set(services)
    for name in ("postgres", "valkey", "web", "worker", "model"):
        assert services[name]["healthcheck"]["test"], name
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"]["valkey"] == {"condition": "service_healthy"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert "pgvector" in services["postgres"]["image"] and "18" in services["postgres"]["image"]


def test_a_worker_s_health_is_asked_of_the_process_itself(instance):
    """The very command of the compose file, against a real worker and against none."""
    it = instance().start()
    command = COMPOSE["services"]["worker"]["healthcheck"]["test"]
    environ = Path(f"/proc/{it.process_of('app.cli worker')}/environ").read_bytes().decode()
    port = int(re.search(r"AGENTBASE_METRICS_PORT=(\d+)", environ)[1])
    assert command[:3] == ["CMD", "python", "-c"]

    def healthy(port: int) -> bool:
        asked = [sys.executable, *command[2:]]
        env = {**os.environ, "AGENTBASE_METRICS_PORT": str(port)}
        tries = COMPOSE["services"]["worker"]["healthcheck"]["retries"]  # it is ill only when each of them fails
        return any(
            subprocess.run(asked, env=env, capture_output=True, check=False).returncode == 0 for _ in range(tries)
        )

    assert healthy(port) and healthy(port + 1), "web and worker share the port's neighbourhood"
    assert not healthy(free_port())


def test_compose_keeps_data_in_named_volumes_that_exist():
    for name, service in COMPOSE["services"].items():
        for volume in service["volumes"]:
            assert volume.split(":")[0] in COMPOSE["volumes"], name


@pytest.mark.parametrize("name", [*OURS, "model"])
def test_our_containers_are_an_ordinary_user_without_privileges(name):
    service = COMPOSE["services"][name]
    assert service["user"] == "1000:1000"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_only_the_web_page_is_published_and_only_to_this_machine():
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_compose_has_no_password_of_its_own():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("POSTGRES_PASSWORD", "AGENTBASE_DB_PASSWORD", "VALKEY_PASSWORD", "AGENTBASE_SECRET_KEY"):
        assert f"${{{name}:?" in text, f"{name} must be asked for"


def test_the_image_ends_as_an_ordinary_user_and_checks_its_health():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    final = lines[last:]
    assert "USER 1000:1000" in final
    assert final.index("USER 1000:1000") < next(n for n, line in enumerate(final) if line.startswith("CMD"))
    assert any(line.startswith("HEALTHCHECK") for line in final)


def test_the_image_copies_what_the_wheel_is_made_of():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    docker, ignore = (ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text()
    for package in wheel["packages"]:
        assert f"COPY {package} " in docker
        assert f"!{package}" in ignore
        assert (ROOT / package).is_dir()


def test_the_workflow_runs_the_same_commands_as_everybody():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert ".ci/run" in commands
    assert {word for line in commands if line.startswith("make ") for word in line.split()[1:2]} <= targets
    assert "make check" in (ROOT / ".ci/run").read_text() and "make test" in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("script", sorted((ROOT / ".ci").iterdir()), ids=lambda path: path.name)
def test_the_scripts_are_sound_and_can_be_started(script):
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_every_target_is_told_by_make_help():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("up", "dev", "test", "check", "bench", "fault", "assets"):
        assert f"make {target} " in listed


def test_packages_are_locked_with_hashes_and_litellm_to_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (litellm,) = [line for line in project["project"]["dependencies"] if line.startswith("litellm")]
    assert re.fullmatch(r"litellm==[\d.]+", litellm)
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    for package in lock["package"]:
        for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]:
            assert file.get("hash", "").startswith("sha256:"), package["name"]


PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_the_docs_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_code_names_only_docs_that_exist():
    """An error message that says "see docs/…" must not send somebody into the void."""
    missing = set()
    for folder in ("app", "flows", "components", "migrations", "marketplace"):
        for file in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"docs/[\w/.-]+\.md", file.read_text()):
                if not (ROOT / name).exists():
                    missing.add(f"{file.relative_to(ROOT)}: {name}")
    assert not missing

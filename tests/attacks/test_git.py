"""Repositories that mean harm: addresses and branches that are options, hooks, links, bombs, servers inside."""

import os
from pathlib import Path

import pytest

from app import config, egress
from app.egress import connect as connecting
from app.egress import pin
from app.errors import DomainError, Refused
from app.gitsync import addresses, queries, repository, service
from app.gitsync.forms import LinkForm
from app.gitsync.repository import Author, GitProblem, Repository
from app.studio import queries as studio
from flows.files import write_flow
from tests.doubles.git_https import GitHttps
from tests.factories.accounts import an_actor
from tests.factories.gitsync import Colleague, a_bare_repository, a_link, git
from tests.factories.studio import a_document, a_flow

ME = Author("Ada --exec=x", "a@b")
TOKEN = "t0ken-of-the-test-1234"


@pytest.fixture
def here(tmp_path):
    with config.using(git_local=(str(tmp_path),), data=tmp_path / "data"):
        yield tmp_path


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/owned",
        "-oProxyCommand=x",
        "ext::sh -c touch% /tmp/owned",
        "ssh://git@example.org/x",
        "git@example.org:x/y.git",
        "git://example.org/x",
        "http://example.org/x",
        "https://user:pw@example.org/x",
        "https://example.org/x?service=y",
        "https://example.org/x#y",
        "https://example.org/a/../../b",
        "https://example.org/a/%2e%2e/b",
        "https://exa mple.org/x",
        "https://example.org/x\n--upload-pack=y",
        "https://2130706433/x",
        "file:///etc",
        "file://localhost/etc",
        "/etc/passwd",
        "/proc/self/root",
        "fd::7",
        "",
    ],
)
async def test_an_address_that_is_none_is_refused_before_git_hears_of_it(url, here, db):
    with pytest.raises(DomainError):
        await service.connect(await an_actor(), LinkForm(url=url))


@pytest.mark.parametrize(
    "branch",
    ["--force", "-x", "a..b", "a b", "a~1", "a:b", "a^", "@{u}", "x.lock", "a//b", "/a", "a/", "a\nb", "a" * 101],
)
def test_a_branch_that_is_an_option_or_an_expression_is_refused(branch):
    with pytest.raises(Refused):
        addresses.branch(branch)


@pytest.mark.parametrize(
    "folder", ["../x", "a/../b", ".git", "a/.git/hooks", "-x", "a//b", "a\0b", ".", "a/.GIT", "x" * 201]
)
def test_a_folder_that_leads_out_is_refused(folder):
    with pytest.raises(Refused):
        addresses.folder(folder)


def test_repositories_on_this_machine_need_the_operator(tmp_path):
    bare = a_bare_repository(tmp_path / "open")
    link = tmp_path / "open" / "away.git"
    secret = a_bare_repository(tmp_path / "closed")
    link.symlink_to(secret)
    with config.using(git_local=()), pytest.raises(Refused, match="AGENTBASE_GIT_LOCAL"):
        addresses.address(str(bare))
    with config.using(git_local=(str(tmp_path / "open"),)):
        assert addresses.address(str(bare)) == f"file://{bare}"
        for bad in (secret, link, tmp_path / "open", tmp_path / "open" / ".." / "closed" / "flows.git"):
            with pytest.raises(Refused):
                addresses.address(str(bad))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1"])
async def test_a_name_that_leads_inside_is_refused_when_connected_and_again_at_every_use(
    address, here, db, monkeypatch
):
    answers = ["93.184.215.14"]

    async def lookup(host, port):
        return [(0, answer) for answer in answers]

    monkeypatch.setattr(pin, "lookup", lookup)
    monkeypatch.setattr(connecting, "lookup", lookup)
    actor = await an_actor()
    await service.connect(actor, LinkForm(url="https://git.example/x.git"))
    answers[:] = ["93.184.215.14", address]  # one good answer beside a bad one: what rebinding looks like
    with pytest.raises(egress.Blocked):
        await service.sync(actor)
    assert (await queries.link(actor)).state == "failed"
    with pytest.raises(egress.Blocked):
        await service.connect(actor, LinkForm(url="https://git.example/y.git"))


async def test_hooks_of_either_side_never_run(here, db):
    bare, mark = a_bare_repository(here), here / "ran"
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        hook = bare / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {mark}\n")
        hook.chmod(0o755)
    actor = await an_actor()
    await a_link(actor, bare)
    await a_flow(actor)
    own = config.settings().data.absolute() / "git" / f"{actor.workspace_id}.git"
    assert (await service.sync(actor)).pushed
    (own / "hooks").mkdir(exist_ok=True)
    for name in ("post-checkout", "post-index-change", "pre-push", "reference-transaction"):
        (own / "hooks" / name).write_text(f"#!/bin/sh\necho {name} >> {mark}\n")
        (own / "hooks" / name).chmod(0o755)
    await a_flow(actor)
    assert (await service.sync(actor)).pushed
    assert not mark.exists()


async def test_links_submodules_and_odd_names_are_never_read(here, db, tmp_path):
    bare = a_bare_repository(here)
    ada = Colleague(bare, here / "ada")
    ada.write("flows/good.json", write_flow(a_document()))
    (ada.place / "flows" / "passwd.json").symlink_to("/etc/passwd")
    (ada.place / "flows" / "up.json").symlink_to("../../../../etc/hostname")
    git(ada.place, "add", "-A")
    sha = git(ada.place, "hash-object", "-w", "--stdin", given=b"{}").strip()
    git(ada.place, "update-index", "--add", "--cacheinfo", f"100644,{sha},flows/a\\b.json")
    git(ada.place, "commit", "--quiet", "-m", "x")
    head = git(ada.place, "rev-parse", "HEAD").strip()
    git(ada.place, "update-index", "--add", "--cacheinfo", f"160000,{head},flows/module.json")
    git(ada.place, "commit", "--quiet", "-m", "x")
    git(ada.place, "push", "--quiet", "origin", "HEAD:main")
    actor = await an_actor()
    await a_link(actor, bare)
    done = await service.sync(actor)
    assert done.pulled == ["good.json"]
    assert set(done.left) == {"passwd.json", "up.json", "a\\b.json", "module.json"}
    assert [flow.name for flow in await studio.flows(actor)] == ["Garden helper"]


async def test_a_folder_that_is_a_link_is_no_folder(here, db):
    bare = a_bare_repository(here)
    ada = Colleague(bare, here / "ada")
    (ada.place / "flows").symlink_to("/etc")
    ada.push()
    actor = await an_actor()
    await a_link(actor, bare)
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_more_than_we_read_ends_with_the_limit(here, monkeypatch):
    bare = a_bare_repository(here)
    ada = Colleague(bare, here / "ada")
    for i in range(12):
        ada.write(f"flows/{i}.json", "{}")
    ada.write("flows/large.json", "x" * 5_000)
    ada.push()
    monkeypatch.setattr(repository, "MOST_FILE", 4_000)
    remote = Repository(here / "own.git", f"file://{bare}", "main")
    head = await remote.head()
    files, left = await remote.files(head, "flows", (".json",))
    assert len(files) == 12 and [each.path for each in left] == ["large.json"]
    monkeypatch.setattr(repository, "MOST_FILES", 10)
    with pytest.raises(GitProblem, match="at most 10 files"):
        await remote.files(head, "flows", (".json",))


async def test_a_repository_that_is_too_large_is_given_up(here, monkeypatch):
    bare = a_bare_repository(here)
    ada = Colleague(bare, here / "ada")
    (ada.place / "bomb.bin").write_bytes(os.urandom(3_000_000))
    ada.push()
    monkeypatch.setattr(repository, "LARGEST", 1_000_000)
    with pytest.raises(GitProblem, match="larger than 1 MB"):
        await Repository(here / "own.git", f"file://{bare}", "main").head()


async def test_a_server_that_never_answers_is_given_up_and_its_process_ends(here, monkeypatch):
    bare = a_bare_repository(here)
    slow = here / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    remote = Repository(here / "own.git", f"file://{bare}", "main")
    monkeypatch.setattr(repository.shutil, "which", lambda _: str(slow))
    monkeypatch.setattr(repository, "LONGEST", 0.3)
    with pytest.raises(GitProblem, match="did not answer"):
        await remote.head()


def test_git_sees_nothing_of_our_environment(monkeypatch):
    for name in ("DATABASE_URL", "AGENTBASE_SECRET_KEY", "GIT_DIR", "GIT_SSH_COMMAND", "http_proxy", "GIT_EXEC_PATH"):
        monkeypatch.setenv(name, "leak")
    seen = repository.environment({"a.b": "c"}, {}, Path("/nowhere"))
    assert "leak" not in seen.values() and seen["GIT_CONFIG_GLOBAL"] == os.devnull


async def test_configuration_in_our_own_copy_does_not_run_programs(here):
    """Somebody who can write there has other ways; but a copy made by an older git or restored must not bite either."""
    bare = a_bare_repository(here)
    remote = Repository(here / "own.git", f"file://{bare}", "main")
    await remote.head()
    mark = here / "ran"
    git(here / "own.git", "config", "core.fsmonitor", f"touch {mark}")
    git(here / "own.git", "config", "core.hooksPath", str(here))
    commit = await remote.commit("", "flows", {"a.json": b"{}"}, "--amend\n", ME)
    await remote.push(commit)
    assert not mark.exists() and git(bare, "log", "-1", "--format=%s|%an", "main").strip() == "--amend|Ada --exec=x"


async def test_over_https_with_a_token_pinned_to_the_address_that_was_checked(here, db, monkeypatch):
    bare = a_bare_repository(here / "served")
    git(bare, "config", "http.receivepack", "true")

    async def lookup(host, port):
        assert host == "git.test"  # no resolver knows this name: git can only have it from us
        return [(0, "127.0.0.1")]

    monkeypatch.setattr(pin, "lookup", lookup)
    with GitHttps.running(here / "served", TOKEN) as server, config.using(egress_allow=("127.0.0.1",)):
        monkeypatch.setattr(repository, "EXTRA", {"http.sslCAInfo": str(server.certificate)})
        actor = await an_actor()
        url = f"https://git.test:{server.port}/flows.git"
        await service.connect(actor, LinkForm(url=url, token=TOKEN))
        await a_flow(actor)
        assert (await service.sync(actor)).pushed == ["garden-helper.json"]
        assert git(bare, "ls-tree", "--name-only", "main").split() == ["garden-helper.json"]
        with pytest.raises(Refused, match="token is needed once more"):
            await service.connect(actor, LinkForm(url=url.replace("flows", "other")))
        await service.connect(actor, LinkForm(url=url, token="wrong-token-of-nobody"))
        with pytest.raises(GitProblem, match="did not take the token") as refused:
            await service.sync(actor)
        assert "wrong-token" not in str(refused.value)
        await service.connect(actor, LinkForm(url=url, token=TOKEN))
        server.moves_to = "https://elsewhere.test"
        with pytest.raises(GitProblem):
            await service.sync(actor)
        assert all("elsewhere" not in path for path in server.seen)
    view = await queries.link(actor)
    assert TOKEN not in str(view) and view.token_hint == TOKEN[-4:]


async def test_a_certificate_of_nobody_is_refused(here, monkeypatch):
    async def lookup(host, port):
        return [(0, "127.0.0.1")]

    monkeypatch.setattr(pin, "lookup", lookup)
    with GitHttps.running(here, TOKEN) as server, config.using(egress_allow=("127.0.0.1",)):
        with pytest.raises(GitProblem, match="certificate"):
            await Repository(here / "own.git", f"https://git.test:{server.port}/x.git", "main").head()

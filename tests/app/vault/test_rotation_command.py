import asyncio
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from app import config
from app.commands.secret import command
from tests.servers import copy_of_template, drop_database


@pytest.fixture
def settings(servers) -> Iterator[config.Settings]:
    """A database of its own: what other tests closed with other secrets can't be opened here."""
    copy = asyncio.run(copy_of_template(servers))
    owner, login = config.Secret(copy.owner), config.Secret(copy.login)
    secret = config.Secret("only-for-tests-" + "0123456789abcdef" * 2)
    with config.using(database_url=login, database_owner_url=owner, secret_key=secret) as settings:
        yield settings
    asyncio.run(drop_database(copy))


def test_rotating_a_secret_file_takes_two_steps_and_says_the_next(settings, tmp_path):
    with config.using(secret_key=config.Secret(""), data=tmp_path):
        old = config.secret_key()
        first = CliRunner().invoke(command, ["rotate"], catch_exceptions=False)
        assert first.exit_code == 0 and "--forget-old" in first.output
        assert config.secret_keys()[1] == old
        second = CliRunner().invoke(command, ["rotate", "--forget-old"], catch_exceptions=False)
        assert second.exit_code == 0 and len(config.secret_keys(again=True)) == 1


def test_with_a_variable_it_says_what_to_take_away(settings):
    done = CliRunner().invoke(command, ["rotate"], catch_exceptions=False)
    assert done.exit_code == 0 and "AGENTBASE_SECRET_KEY" in done.output

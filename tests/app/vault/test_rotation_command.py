from click.testing import CliRunner

from app import config
from app.commands.secret import command


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

import stat
from pathlib import Path

import pytest

from app import config
from app.config import SettingError, Settings


def test_nothing_set_means_the_defaults():
    assert config.load({}) == Settings()
    assert config.load(dict.fromkeys(config.names(), " ")) == Settings()


def test_every_setting_is_read_from_the_variable_it_names():
    found = config.load(
        {
            "AGENTBASE_DATA": "/srv/agentbase", "AGENTBASE_PORT": "9000", "AGENTBASE_LOCAL_MODEL": "off",
            "AGENTBASE_EGRESS_ALLOW": "10.0.0.0/8, ollama.lan,", "DATABASE_URL": "postgresql://a:b@db/x",
            "AGENTBASE_LOG_FORMAT": "json", "UNKNOWN": "ignored",
        }
    )  # fmt: skip
    assert (found.data, found.port, found.local_model) == (Path("/srv/agentbase"), 9000, False)
    assert found.egress_allow == ("10.0.0.0/8", "ollama.lan")
    assert found.owner_url == "postgresql://a:b@db/x" and found.log_format == "json"
    assert len(set(config.names())) == len(config.names()) == len(Settings.__struct_fields__)


def test_a_child_gets_exactly_the_same_settings():
    ours = config.load({"AGENTBASE_PORT": "9000", "AGENTBASE_EGRESS_ALLOW": "a,b", "AGENTBASE_LOCAL_MODEL": "off"})
    assert config.load(config.environment(ours)) == ours


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", "http://127.0.0.1:9000"),
        ("0.0.0.0", "http://127.0.0.1:9000"),
        ("::", "http://[::1]:9000"),
        ("10.0.0.7", "http://10.0.0.7:9000"),
        ("fd00::7", "http://[fd00::7]:9000"),
    ],
)
def test_the_address_that_is_told_is_one_that_can_be_opened(host, address):
    assert config.load({"AGENTBASE_HOST": host, "AGENTBASE_PORT": "9000"}).base_url == address


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("AGENTBASE_PORT", "eighty", "a whole number from 1 to 65535"),
        ("AGENTBASE_PORT", "0", "from 1 to 65535"),
        ("AGENTBASE_PORT", "٣", "a whole number"),
        ("AGENTBASE_METRICS_PORT", "70000", "from 0 to 65535"),
        ("AGENTBASE_LOCAL_MODEL", "yes", "on or off"),
        ("AGENTBASE_TRUSTED_PROXIES", "10.0.0.1,proxy.lan", "such as 10.0.0.7"),
        ("AGENTBASE_LOG_FORMAT", "xml", "console or json"),
        ("DATABASE_URL", "mysql://u:hunter2@db/x", "postgresql://"),
        ("REDIS_URL", "http://hunter2", "redis://"),
        ("AGENTBASE_SMTP_URL", "hunter2", "smtps://"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_expected(variable, value, expected):
    with pytest.raises(SettingError, match=variable) as refused:
        config.load({variable: value})
    assert expected in str(refused.value) and "hunter2" not in str(refused.value)


def test_settings_show_no_secret():
    found = config.load({name: "postgresql://canary" for name in config.names() if "URL" in name and "DATABASE" in name}
                        | {"AGENTBASE_ADMIN_PASSWORD": "canary", "AGENTBASE_SECRET_KEY": "canary" * 8})  # fmt: skip
    assert "canary" not in repr(found)
    assert found.admin_password == "canary"


def test_the_secret_is_made_once_private_and_kept(tmp_path):
    with config.using(data=tmp_path / "new", secret_key=config.Secret("")):
        first = config.secret_key()
        assert len(first) >= 32 and config.secret_keys(again=True) == (first,)
        path = tmp_path / "new" / "secret.key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(path.parent.iterdir()) == [path]
        path.chmod(0o644)
        with pytest.raises(SettingError, match="chmod 600"):
            config.secret_keys(again=True)


def test_rotating_the_file_keeps_the_old_secret_behind_the_new_one_until_it_is_dropped(tmp_path):
    with config.using(data=tmp_path, secret_key=config.Secret("")):
        old = config.secret_key()
        config.renew_secret_file()
        new = config.secret_key()
        assert config.secret_keys() == (new, old) and new != old
        config.drop_old_secrets()
        assert config.secret_keys(again=True) == (new,)


def test_a_given_secret_must_be_long_and_may_be_several():
    with config.using(secret_key=config.Secret("short")), pytest.raises(SettingError, match="5 characters"):
        config.secret_key()
    with config.using(secret_key=config.Secret("n" * 40 + ", " + "o" * 40)):
        assert config.secret_keys() == (b"n" * 40, b"o" * 40)
        with pytest.raises(SettingError, match="comma"):
            config.renew_secret_file()


def test_each_purpose_has_a_key_of_its_own():
    with config.using(secret_key=config.Secret("n" * 40)):
        assert config.derive("csrf") != config.derive("session") and len(config.derive("csrf")) == 32
        assert config.derive("csrf", b"o" * 40) != config.derive("csrf")

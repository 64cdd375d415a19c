"""Where one can't listen is said with its reason and a way out, before anything is started."""

import errno
import socket

import pytest

from app.embedded.errors import NOT_ON_THIS_MACHINE, PORT_TAKEN, StartProblem
from app.embedded.folder import free_port, may_listen


def test_a_free_port_is_fine():
    may_listen("127.0.0.1", free_port())


def test_of_a_taken_port_a_free_one_is_offered():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartProblem, match="taken by another program") as refused:
            may_listen("127.0.0.1", port)
    assert refused.value.code == PORT_TAKEN and f"--port {port}" not in refused.value.remedy


@pytest.mark.parametrize("host", ["198.51.100.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_said(host):
    with pytest.raises(StartProblem, match=f"{host} is no address of this machine") as refused:
        may_listen(host, 8000)
    assert refused.value.code == NOT_ON_THIS_MACHINE and "AGENTBASE_HOST" in refused.value.remedy


def test_a_port_that_only_the_administrator_may_use_is_not_called_taken(monkeypatch):
    def forbidden(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    with pytest.raises(StartProblem, match="may not listen on port 80:") as refused:
        may_listen("127.0.0.1", 80)
    assert "--port 8000" in refused.value.remedy

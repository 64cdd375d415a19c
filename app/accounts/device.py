"""What a request says about where it comes from."""

from app.accounts.sessions import Device
from app.web import address
from app.web.htmx import Request


def device_of(request: Request) -> Device:
    return Device(request.headers.get("user-agent", ""), address.of(request.scope))

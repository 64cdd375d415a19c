"""Where Piccolo finds the engine and the domains' apps (its command line needs PICCOLO_CONF=app.piccolo_conf)."""

from importlib.util import find_spec

from piccolo.conf.apps import AppRegistry

from app.db import engine as DB
from migrations import DOMAINS

__all__ = ["APP_REGISTRY", "DB"]

APP_REGISTRY = AppRegistry(
    apps=[
        f"app.{domain}.piccolo_app"
        for domain in DOMAINS
        if find_spec(f"app.{domain}") and find_spec(f"app.{domain}.piccolo_app")
    ]
)

"""Steps that talk to other services."""

from components.connect.http import http

NODES = (http,)

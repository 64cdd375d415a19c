"""Litestar as both applications use it: with the plugins we need, and without those it would add by itself."""

from litestar import Litestar
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin


class Application(Litestar):
    """Litestar adds a plugin for each model library that it finds installed. litellm brings pydantic and aiohttp brings
    attrs; our forms are msgspec structs, so both would only be read at every start (0.15 s and 20 MB).
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]

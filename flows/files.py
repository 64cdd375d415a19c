"""Flow documents as files for people and for git: JSON or YAML, one layout, equal flows give equal bytes.

The order is made for reading a change: what the flow is, its steps as the document has them, its wires; the keys of
settings sorted, because a database does not keep their order. Values are those of JSON in both forms.
"""

from typing import Any, ClassVar, Literal

import msgspec
import yaml

from flows.document import MOST_BYTES, BadDocument, load_flow
from flows.model import Flow

Form = Literal["json", "yaml"]
FORMS: dict[str, Form] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
"""Form by a file's ending."""


def write_flow(flow: Flow, form: Form = "json") -> str:
    """The file's text. `load` of it gives an equal flow, and writing that again gives the same text."""
    document = _ordered(flow)
    if form == "yaml":
        return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096))
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def read_flow(content: bytes, form: Form = "json") -> Flow:
    """Read what a file holds. Nothing in it is run or looked up. Raises BadDocument."""
    return load_flow(_parsed_yaml(content) if form == "yaml" else content)


def _ordered(flow: Flow) -> dict[str, Any]:
    plain = msgspec.to_builtins(flow, order="deterministic")
    about: dict[str, Any] = {"format": flow.format, "name": flow.name, "description": flow.description}
    if flow.cost_limit is not None:
        about["cost_limit"] = _short(flow.cost_limit)
    nodes = [{key: _short(value) for key, value in node.items()} for node in plain.get("nodes", [])]
    return {**about, "nodes": nodes, "edges": plain.get("edges", [])}


def _short(value: Any) -> Any:
    """48.0 as 48: places and seconds are mostly whole, and read the same."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Texts of several lines as blocks; lists indented under their key; never an anchor for equal values."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


_BREAKS = frozenset("\r\x85\u2028\u2029")
"""Line ends of YAML 1.1 besides \\n: only between double quotes do they come back as they are."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _BREAKS & set(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Only what JSON has too: no dates, no binary, no sets, no keys but texts, nothing written twice.

    No aliases: a few lines of them can stand for more than any machine holds.
    """

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge", ":value"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar = {
        f"tag:yaml.org,2002:{kind}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{kind}"]
        for kind in ("null", "bool", "int", "float", "seq", "str")
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.YAMLError(f"aliases (*{event.anchor}) are not read, line {event.start_mark.line + 1}")
        return super().compose_node(parent, index)

    def object(self, node: yaml.MappingNode) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in result:
                what = "stands there twice" if isinstance(key, str) else "is no text: put it into quotes"
                raise yaml.YAMLError(f"the key {key!r} {what}, line {key_node.start_mark.line + 1}")
            result[key] = self.construct_object(value_node, deep=True)
        return result

    def refused(self, node: yaml.Node) -> Any:
        raise yaml.YAMLError(f"{node.tag} is not read, line {node.start_mark.line + 1}")


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.object)
_Loader.add_constructor(None, _Loader.refused)


def _parsed_yaml(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise BadDocument(f"This document is larger than {MOST_BYTES // 1_048_576} MB, which is the most that is read.")
    try:
        document = yaml.load(content.decode(), Loader=_Loader)  # noqa: S506 -- ours is a part of the safe one
        # An infinite number, which YAML has and JSON has not, would be lost without a word when the flow is stored.
        if msgspec.json.decode(msgspec.json.encode(document)) != document:
            raise BadDocument("This document holds numbers that JSON can't: .inf or .nan.")
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadDocument(f"This can't be read as YAML: {error}.") from None
    if not isinstance(document, dict):
        raise BadDocument("A flow document is a mapping with 'nodes' and 'edges'; this is something else.")
    return document

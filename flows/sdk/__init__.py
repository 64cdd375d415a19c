"""The promise to people who write nodes. What is named here changes only with a major version.

Everything else under flows/ may change any day.
"""

from flows.sdk.annotations import (
    Advanced,
    Code,
    ConnectionRef,
    Expression,
    FlowRef,
    JsonText,
    ModelRef,
    Multiline,
    Secret,
    Slider,
    Template,
    lines,
    shown_when,
)
from flows.sdk.capabilities import (
    ChatReply,
    ChatRequest,
    Files,
    CodeResult,
    Http,
    HttpReply,
    HttpRequest,
    Llm,
    Tool,
    Sandbox,
    ToolCall,
    Usage,
)
from flows.sdk.context import Body, Context, Round, Signal, Wait
from flows.sdk.errors import NodeError
from flows.sdk.node import Effect, Family, NodeType, Nothing, Source, node
from flows.sdk.ports import Port, Ports, PortType, fits, many, port_type_of, ports_of
from flows.sdk.values import File, Json, Message

__all__ = [
    "Advanced",
    "Body",
    "ChatReply",
    "ChatRequest",
    "Code",
    "ConnectionRef",
    "CodeResult",
    "Context",
    "Effect",
    "Expression",
    "Family",
    "File",
    "Files",
    "FlowRef",
    "Http",
    "HttpReply",
    "HttpRequest",
    "Json",
    "JsonText",
    "Llm",
    "Message",
    "ModelRef",
    "Multiline",
    "NodeError",
    "NodeType",
    "Nothing",
    "Port",
    "PortType",
    "Ports",
    "Round",
    "Secret",
    "Sandbox",
    "Signal",
    "Slider",
    "Template",
    "Source",
    "Tool",
    "ToolCall",
    "Usage",
    "Wait",
    "fits",
    "lines",
    "many",
    "node",
    "port_type_of",
    "ports_of",
    "shown_when",
]

"""What went wrong in somebody's code, in words that name the line, the value and what to do."""

import re
from collections.abc import Mapping

from flows.coerce import kind_of
from flows.host.frames import Call, Engine, Reply
from flows.sdk.errors import NodeError
from flows.sdk.values import Json

MODULES = (
    "base64, collections, csv, dataclasses, datetime, decimal, functools, hashlib, itertools, json, math, random, re, "
    "statistics, string, textwrap, time, typing"
)
LONGEST_VALUE = 80
WORD = re.compile(r"[A-Za-z_]\w*")
OUTSIDE: dict[Engine, str] = {
    "safe": "Code has no files, no network and no environment.",
    "full": "Code has no network, starts no programs and writes nowhere but into its scratch folder.",
}
NO_ROOM = ("[Errno 27]", "[Errno 28]")  # EFBIG, ENOSPC
REFUSED = ("PermissionError", "FileNotFoundError", "OSError")


def fault_of(reply: Reply, call: Call, engine: Engine) -> NodeError:
    """The error of a reply whose `why` is not ""."""
    sentence = {
        "syntax": _syntax,
        "time": _time,
        "memory": _memory,
        "value": _value,
        "crash": _crash,
        "output": _value,
    }.get(reply.why, _code)
    return NodeError(sentence(reply, call, engine), field="code")


def _syntax(reply: Reply, call: Call, engine: Engine) -> str:
    where = f"Line {reply.line} can't be read" if reply.line else "The code can't be read"
    text = f": {reply.source.strip()}" if reply.source.strip() else ""
    if (found := re.search(r"does not yet support (?:the )?(.+)", reply.message)) and engine == "safe":
        return f"{where}{text}. Safe Python has no {found.group(1)}. Write it another way, or choose full Python."
    return f"{where}{text}. {_ended(reply.message)} Correct it."


def _time(reply: Reply, call: Call, engine: Engine) -> str:
    return (
        f"The code ran longer than its limit of {call.bounds.seconds:g} s and was stopped. "
        "Make it do less, or raise 'Time limit'."
    )


def _memory(reply: Reply, call: Call, engine: Engine) -> str:
    where = f" in line {reply.line}" if reply.line else ""
    return (
        f"The code wanted more memory than its limit of {call.bounds.memory // 1_048_576} MB{where} and was stopped. "
        "Make it keep less at a time, or raise 'Memory limit'."
    )


def _value(reply: Reply, call: Call, engine: Engine) -> str:
    sentence = _ended(reply.message)
    return f"{sentence[:1].upper()}{sentence[1:]} A result is made of texts, numbers, yes/no, lists and objects."


def _crash(reply: Reply, call: Call, engine: Engine) -> str:
    return (
        f"The code brought its own process down ({reply.message.rstrip('.') or 'it ended'}). Nothing else was harmed. "
        "Make it do less at once."
    )


def _code(reply: Reply, call: Call, engine: Engine) -> str:
    where = f"Line {reply.line}" if reply.line else "The code"
    line = reply.source.strip()
    sentence = f"{where}: {_in_words(reply, engine)}"
    if line:
        sentence += f" The line is: {line}"
        values = _values_in(line, call.inputs)
        sentence += f" ({values})." if values else "."
    return sentence


def _in_words(reply: Reply, engine: Engine) -> str:
    message = reply.message
    match reply.kind:
        case "KeyError":
            return f"there is no {message}. Correct the name, or use .get({message})."
        case "IndexError":
            return f"there is no such place ({message}). Check the length first."
        case "NameError" | "UnboundLocalError":
            return f"{message}. Correct it, or add an input of that name."
        case "ZeroDivisionError":
            return "it divides by zero. Check the number first."
        case "ModuleNotFoundError" | "ImportError":
            others = f"There are {MODULES}." if engine == "safe" else "There is Python's own library, nothing else."
            return f"{message}. {others}"
        case "RecursionError":
            return "functions call each other too deep. Write it with a loop."
        case "NotImplementedError" if engine == "safe":
            return f"safe Python does not have this: {message}. Write it another way, or choose full Python."
        case kind if kind in REFUSED or "not supported in this environment" in message:
            full = "The scratch folder holds 64 MB. Write less, or delete what is done with."
            return (
                f"{message}. {full if message.startswith(NO_ROOM) else OUTSIDE[engine] + ' Let another step fetch it.'}"
            )
    return f"{reply.kind}: {_ended(message)}" if message else f"{reply.kind}."


def _values_in(line: str, inputs: Mapping[str, Json]) -> str:
    names = dict.fromkeys(name for name in WORD.findall(line) if name in inputs)
    told = [f"{name} is {_shown(inputs[name])}" for name in list(names)[:3]]
    return ", ".join(told)


def _shown(value: Json) -> str:
    if isinstance(value, dict):
        names = ", ".join(map(str, list(value)[:8])) or "nothing"
        return f"an object with {names}"[:LONGEST_VALUE]
    return kind_of(value)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

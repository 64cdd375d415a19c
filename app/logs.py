"""Logs: structlog, JSON in production, with the ids of request, run and workspace, and never a secret.

Three nets hold secrets back, on every value however deep: the name of the key, the shape of the value (bearer tokens,
vendor keys, passwords in URLs), and the exact values known to be secret in this process (`keep_out`).
"""

import logging
import re
import sys
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.contextvars import bound_contextvars

HIDDEN = "[hidden]"

_NAMES = re.compile(
    r"password|passwd|secret|token(?!s$|s_|_count)|authorization|cookie|api[-_]?key|private[-_]?key|credential|^key$|csrf",
    re.I,
)
_SHAPES = re.compile(
    r"(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"
    r"|\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp]|glpat|whsec|hf|gsk|ab)[-_][A-Za-z0-9_-]{12,}"
    r"|\bAIza[\w-]{30,}|\bAKIA[A-Z0-9]{12,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.S,
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")
_WRITTEN = re.compile(
    r"""((?:password|passwd|secret|token|api[-_]?key|authorization|cookie|csrf|credential)[\w-]*['"]?\s*[:=]\s*b?['"]?)"""
    r"""(?!\d+\b)[^\s'"&,;{}\[\]]{6,}""",
    re.I,
)
"""password=…, 'token': '…': a mapping that somebody else has already turned into text."""
_known: OrderedDict[str, None] = OrderedDict()
KNOWN = 256


def keep_out(secret: str) -> None:
    """From now on this exact text (6 characters or more) is replaced wherever this process would log it."""
    if len(secret) >= 6:
        _known[secret] = None
        _known.move_to_end(secret)
        while len(_known) > KNOWN:  # every line is searched for each of them; the nets by name and shape stay
            _known.popitem(last=False)


def clean_text(text: str) -> str:
    """The text without anything that is, or looks like, a secret."""
    for secret in tuple(_known):
        if secret in text:
            text = text.replace(secret, HIDDEN)
    text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}", _SHAPES.sub(HIDDEN, text))
    return _WRITTEN.sub(rf"\1{HIDDEN}", text)


def clean(value: Any, depth: int = 6) -> Any:
    """The same value with every secret in it replaced; deeper than `depth` it becomes text first."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bytes):
        return clean_text(value.decode("utf-8", "replace"))
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {
            clean_text(str(key)): HIDDEN if hides(str(key), item) else clean(item, depth - 1)
            for key, item in value.items()
        }
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [clean(item, depth - 1) for item in value]
    return clean_text(str(value))


def hides(key: str, value: Any) -> bool:
    """Whether a value under this key is never shown. Numbers are: `tokens=12` and `max_token=5` are counts."""
    return bool(value) and not isinstance(value, bool | int | float) and bool(_NAMES.search(key))


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in list(event.items()):
        event[key] = HIDDEN if hides(key, value) else clean(value)
    return event


class _Handler(logging.StreamHandler[TextIO]):
    """Ours among the root logger's handlers: `setup` called again replaces it. Writes to what sys.stderr is then."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def setup(log_format: Literal["console", "json"] = "console", level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging through one chain to stderr. Call once per process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # before _redact: a traceback holds values too
        structlog.processors.UnicodeDecoder(),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    for former in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("asyncio", "httpx", "aiohttp.access", "arq", "markdown_it", "urllib3"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """`log = logger(__name__)`, then `log.info("run started", run_id=…)`: a sentence, and the values beside it."""
    result: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return result


bound = bound_contextvars
"""`with bound(request_id=…, workspace_id=…, run_id=…):` adds these to every log line written inside."""

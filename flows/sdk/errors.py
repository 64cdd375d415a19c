"""How a node says that it can't go on."""


class NodeError(Exception):
    """A failure a person can act on: what happened (with the values), where, what to do now.

    `field`: the setting or input at fault, so that the editor can point at it.
    `retry`: whether trying again may help (a busy server: yes; a wrong key: no).
    `retry_after`: seconds the other side asked us to wait, when it said so.
    `kind`: a stable word for what happened, "" = the class's own name; it goes on record beside the message.
    """

    kind: str = ""

    def __init__(
        self, message: str, *, field: str = "", retry: bool = False, retry_after: float | None = None, kind: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry = retry
        self.retry_after = retry_after
        if kind:
            self.kind = kind

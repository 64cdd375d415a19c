"""How long a worker waits for what, and how often it looks."""

from msgspec import Struct


class Timings(Struct, frozen=True):
    """Seconds. Tests shorten them, keeping their proportions.

    Three missed heartbeats are a death; a worker whose loop hangs for `loop_lag` stops sending them. After kill -9 a
    run is taken up within dead_after + sweep + a poll of 2 s = 34 s. `drain` ends before a container is killed (45 s).
    `ring`: how often due timers are looked for. `linger`: how long a process for isolated runs waits for the next one.
    """

    heartbeat: float = 10.0
    dead_after: float = 30.0
    loop_lag: float = 20.0
    sweep: float = 2.0
    ring: float = 0.5
    renudge: float = 15.0
    watch_cancels: float = 1.0
    cancel_grace: float = 15.0
    drain: float = 25.0
    linger: float = 10.0

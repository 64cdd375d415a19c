"""Steps that decide where a flow goes: branches, joins, repetition, waiting, other flows."""

from components.logic.address import address
from components.logic.each import each
from components.logic.flow import flow
from components.logic.if_ import if_
from components.logic.join import join
from components.logic.leave import leave, next_round, stop
from components.logic.loop import loop
from components.logic.signal import signal
from components.logic.switch import switch
from components.logic.undo import undo
from components.logic.wait import wait
from components.logic.webhook import webhook

NODES = (if_, switch, join, each, loop, next_round, leave, stop, wait, signal, address, webhook, undo, flow)

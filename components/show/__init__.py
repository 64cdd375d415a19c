"""Steps that show something to whoever started the flow."""

from components.show.answer import answer
from components.show.reply import reply

NODES = (answer, reply)

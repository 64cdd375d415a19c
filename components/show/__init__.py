"""Steps that show something to whoever started the flow."""

from components.show.answer import answer

NODES = (answer,)

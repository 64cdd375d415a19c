"""Steps that work on text."""

from components.text.join import join
from components.text.split import split

NODES = (split, join)

"""Steps that run code people write."""

from components.code.python import python

NODES = (python,)

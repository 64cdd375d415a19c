"""Steps in which a person decides or tells something."""

from components.people.approval import approval

NODES = (approval,)

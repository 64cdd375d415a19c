"""Remarks on the canvas."""

from typing import Any

from components.note.group import group
from components.note.note import note

NODES: tuple[Any, ...] = (note, group)

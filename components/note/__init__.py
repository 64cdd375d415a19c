"""Remarks on the canvas."""

from components.note.note import note

NODES = (note,)

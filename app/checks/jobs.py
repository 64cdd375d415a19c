"""What runs by itself in the background of this domain."""

from app.background import Job
from app.checks.experimenting import advance

LOOKS: tuple[Job, ...] = ((advance, 1.0),)
"""A query on a small index each, when there is nothing to do."""

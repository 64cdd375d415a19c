"""Steps that read and shape data."""

from components.data.file import file
from components.data.filter import filter_
from components.data.json import json
from components.data.set import set_fields

NODES = (json, set_fields, file, filter_)

"""Steps that talk to a language model."""

from components.ai.chat import chat
from components.ai.prompt import prompt

NODES = (chat, prompt)

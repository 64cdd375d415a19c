"""The ways to reach a model. All speak the values of calls.py and raise Fault.

`openai`: our own client for OpenAI's wire format. `litellm`: every other vendor, in workers and child processes only.
`minilm`: embeddings in this process.
"""

"""Things tests start from, one module per domain: `async def a_thing(**what_matters) -> Thing`.

A factory saves for real, in its own transaction, gives everything it was not told a random name,
and returns what it made.
"""

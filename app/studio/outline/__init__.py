"""The flow as a list one can edit with plain forms: no canvas, no scripts, any screen reader, 360 px.

ends.py: the wires of a step as lists to choose from.  posted.py: what a form sent, as settings.
intents.py: "a new step after this one" and the like, as the same operations that the canvas sends.
"""

"""Flows by describing them: what somebody wants becomes a proposal, shown beside the flow as it is, to take over or
throw away. Owns proposals and the conversation with the model that makes them.

Nothing changes before somebody takes a proposal over; then it is one edit of the studio, undone like any other. The
model never writes a document: it answers in a small grammar (grammar.py), and building.py makes the document of it.
"""

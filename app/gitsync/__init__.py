"""Flows in a folder of a git repository, both ways: what is drawn here goes there, what is merged there comes here.

Owns the link of a workspace to its repository, what each file was when both sides last agreed, and the log of it. git
itself is the program of this name, started with an environment of its own (repository.py). Nobody's work is
overwritten: where both sides changed one flow, a person chooses (merging.py).
"""

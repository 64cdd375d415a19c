"""Tests of flows: an input, what must come out, and the recorded answers of everything outside. Owns test cases, their
results, and the rule "tests must pass before publishing".

It lies above the studio, because a test runs a draft and the studio owns drafts; the studio asks it before it publishes
through app/studio/gates.py, handed in by app/main.py. What a recorded answer is, and how a run takes it, belongs to
app/runs/rehearsal.py.
"""

"""Triggers: what starts runs by itself. Owns when each trigger fires next (trigger_plan), what it did and did not do
(trigger_firing), and the ways in that are not HTTP calls of a flow's own address: the clock, the event log, the end of
another flow, mail, dropped files.

The rows of `trigger` are made by app/runs with the version they belong to; this domain writes their switch (`paused`)
and their address. Doesn't own runs, nor the webhook door (app/runs/hooks.py), which is too busy for a detour.
"""

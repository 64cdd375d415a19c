"""Runs: versions of flows, what starts them, every run and its steps, the pages and the API that show and steer them.

Owns flow_version, flow_live, trigger and the run ledger's tables. The engine's own SQL on the ledger lies in
flows/ledger. Does not own drafts of flows (app/studio) nor what a model call costs (app/gateway).
"""

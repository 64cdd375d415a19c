"""Models: connections to the ones who serve them, and the one pipeline that every model call passes.

Owns: connections and their keys (sealed by app.vault), the workspace's default model and fallbacks, budgets with their
reservations, and the record of every call (tokens, cost, times). It does not own what a call is for: prompts belong to
flows, plans and invoices to billing.

policy → reserve → route → call → settle → log: pipeline.py reads in that order.
"""

"""Tables of this domain, by what they are about. DDL, row security and indexes: migrations/runs. Statuses:
docs/flow-semantics.md.
"""

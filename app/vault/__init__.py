"""Owns: the keys workspaces' secrets are closed with, and the named secrets people keep for their flows.

Other domains seal a column of their own by `service.seal` and open it by `service.unseal`; they own the column.
Not here: passwords of people (app/accounts), the keys of sessions and CSRF (app/config.derive).
"""

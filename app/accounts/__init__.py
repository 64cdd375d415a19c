"""Workspaces, people in them, and how they prove who they are: passwords, sessions, API keys, outside identities,
invitations.

Not here: cookies, CSRF and guards (app/web), secrets of services that flows call (app/vault), money (app/billing).
"""

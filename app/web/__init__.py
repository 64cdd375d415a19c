"""The door of the dashboard: who asks (Actor), may they (guards, CSRF), how the answer looks (render, errors), and
under which host.

Knows no domain. What a session or a key means is looked up by `app.accounts`; `app.main` puts the two together.
"""

from app.web.actor import Actor

__all__ = ["Actor"]

"""Other ways in: Google, GitHub, or any OpenID Connect provider that the operator named.

Authorization code with PKCE (S256). State, nonce and verifier live in a signed cookie of the browser that started, for
ten minutes; nothing about a flow under way is kept on the server, so no other browser can finish it. People are known
by (issuer, subject); an e-mail address alone opens no account: it can change hands.
"""

from app.accounts.oidc.directory import Provider, provider, providers
from app.accounts.oidc.way import Outside, Way, finish, start

__all__ = ["Outside", "Provider", "Way", "finish", "provider", "providers", "start"]

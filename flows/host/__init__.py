"""Where a node's function runs: in this process, or in a child that can reach nothing (docs/extend/code.md, docs/adr).

This side is trusted, `guests/` is what runs on the other side. Between them is one socket; what comes back over it is
read as strictly as a request from the internet.
"""

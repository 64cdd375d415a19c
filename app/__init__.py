"""Agentbase: draw an AI app as a graph, publish it as a themed site. Who may import whom: docs/architecture.md."""

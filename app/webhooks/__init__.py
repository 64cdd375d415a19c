"""Outgoing webhooks: a workspace's own events, told to addresses of its choice by Standard Webhooks 1.0.

Owns endpoints and deliveries. The queue with its retries is the outbox (app/events); what happened is the event log.
Doesn't own webhooks that start flows: those are triggers (app/triggers).
"""

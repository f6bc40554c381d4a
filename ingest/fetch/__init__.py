"""Fetching the works that a document cites, from addresses that were checked, into snapshots that stay.

Layers, each knowing only those above it: `address` (what may be asked for), `body` (how much of an answer is read),
`connect` (what may be connected to), `network` (one request), `hosts` and `robots` (manners), `classify` (what came
back), `snapshots` (what is kept), `fetcher` (a run over many works), `table` (what a person reads).
"""

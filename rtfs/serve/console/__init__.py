"""The console: a web page for people who watch runs, answer approvals and look through the ledger.

A shell over a `Runtime`, its run store and its ledger; server-rendered pages with a little JavaScript, no build step.
"""

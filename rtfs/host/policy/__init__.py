"""Authorisation of calls: grants, rules, quotas, and the files that no grant covers."""

"""Who may call what: grants, rules, quotas, the files no grant reaches."""

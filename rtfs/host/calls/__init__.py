"""The perform pipeline: every host call passes it, and nothing else performs one."""

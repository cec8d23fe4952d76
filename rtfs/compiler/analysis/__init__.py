"""From forms to AST nodes: names resolved, macros expanded, special forms checked. Generates no code."""

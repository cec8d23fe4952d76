"""Guest code in a process of its own: a template that forks workers, a pool of them, and the talk of a run with one."""

"""Guest code in a separate process: a template that forks workers, a pool of them, and a run's conversation with
one."""

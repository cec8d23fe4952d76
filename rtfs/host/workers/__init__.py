"""Workers: processes, on any number of machines, that advance durable runs of one database."""

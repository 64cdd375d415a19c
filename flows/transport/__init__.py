"""Wake-ups for workers. They may be lost, doubled, late: PostgreSQL holds the truth, a transport only saves time."""

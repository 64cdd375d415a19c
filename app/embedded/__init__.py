"""What `agentbase up` starts on a machine that has nothing else: PostgreSQL, Valkey and a small local model.

Each is a supervisor of one child process: it prepares a folder, starts the program, knows when it is ready,
and stops it. Nothing here knows tables, flows or models of the product. A real server given by URL replaces each.
"""

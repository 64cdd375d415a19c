"""What `agentbase …` does: one file for each command, loaded by app/cli.py only when it is called."""

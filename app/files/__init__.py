"""Files of a workspace: what people put into the settings of steps. Kept whole, by their hash, equal ones once.

Owns: the files and their rows. Files that runs make or get belong to the runs (app/runs/files.py).
"""

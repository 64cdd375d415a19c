"""Figures of the whole: `make bench` prints one JSON line for each. A file here offers `figures()`."""

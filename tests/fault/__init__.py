"""Faults made on purpose: real servers, real workers, a nemesis, and a checker of the ledger and the outside world.

    make fault F=F-01                        one scenario at full size
    make fault F=F-01 ARGS=--fault-seed=7    the same with a seed that an earlier one printed

Without --fault-size=full each takes seconds and runs with the other tests. The scenarios are in
test_storms.py, the invariants I1-I8 that each of them must keep in checker.py.
"""

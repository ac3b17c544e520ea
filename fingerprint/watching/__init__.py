"""Repeated runs: rounds by the clock, each recorded, judged and kept in a store.

How it works
    `schedule` says when a round is due: pure, with time as an argument. `memory` is what a watch has to know after a
    crash: when it began, its seed, and which round it was at. `rounds` is the loop between them: it waits for a round,
    has it performed, and keeps what came of it; who performs it and which clock runs are its arguments, so that the
    same loop goes over a real line and, in a test, through a simulated one in no time. `live` performs a round on this
    machine, in a process of its own that gives up its privileges.

What it never does
    Make up for a missed round. A round that was due while the machine slept says nothing about then if it is run now.
"""

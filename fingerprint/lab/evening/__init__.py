"""The evening of 17 May 2020 as it might have been: a simulation, from which the report of that night can be written.

Nobody ever disclosed what was done that night. `evening.toml` is an invention that fits what was publicly said: who is
interfered with, how, at which of three invented providers and when. `play` sends the real probes through it on the
simulated path, `rounds` repeats that for half a day, and `bundle` keeps what the demonstration and the tutorial need.
"""

"""A wall clock that is set during a run does not move the recording."""

from __future__ import annotations

from fingerprint.live.clock import Clock, difference_ns

S = 1_000_000_000


class Clocks:
    def __init__(self):
        self.real, self.set_by = 0, 0

    def wall(self):
        return 1_700_000_000 * S + self.real + self.set_by

    def monotonic(self):
        return 5 * S + self.real

    def clock(self):
        return Clock(wall=self.wall, monotonic=self.monotonic)


def test_a_step_is_taken_out_of_every_stamp():
    clocks = Clocks()
    clock = clocks.clock()
    began = clock.now_ns()
    clocks.real, clocks.set_by = 2 * S, -3600 * S
    assert clock.look() == -3600 * S
    assert clock.now_ns() == began + 2 * S
    assert clock.right(clocks.wall(), began) == began + 2 * S


def test_a_packet_from_before_the_step_that_is_read_after_it_keeps_its_time():
    clocks = Clocks()
    clock = clocks.clock()
    began = clock.now_ns()
    clocks.real = S
    stamp = clocks.wall()
    clocks.real, clocks.set_by = S + 1_000_000, 100 * S
    clock.look()
    assert clock.right(stamp, began + S - 1_000_000) == began + S


def test_two_steps_add_up():
    clocks = Clocks()
    clock = clocks.clock()
    began = clock.now_ns()
    for set_by in (7 * S, 3 * S):
        clocks.real += S
        clocks.set_by = set_by
        clock.look()
    clocks.real += S
    assert clock.right(clocks.wall(), clock.now_ns() - S) == began + 3 * S


def test_slewing_is_no_step():
    clocks = Clocks()
    clock = clocks.clock()
    clocks.set_by = 200_000
    assert clock.look() == 0


def test_two_processes_share_one_clock():
    clocks = Clocks()
    one = clocks.clock()
    clocks.real, clocks.set_by = 3 * S, 50 * S
    other = Clock(one.base_ns, clocks.wall, clocks.monotonic)
    assert other.look() == 50 * S
    assert other.now_ns() == one.now_ns()


def test_the_difference_is_the_closest_of_some_readings():
    readings = iter([0, 10_000_000, 20_000_000, 20_000_001])
    assert difference_ns(lambda: 100, lambda: next(readings), tries=2) == 100 - 20_000_000

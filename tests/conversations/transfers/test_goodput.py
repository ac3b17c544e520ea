"""Goodput counts what is new, once, when it came."""

from __future__ import annotations

import numpy as np
import pytest

from fingerprint.conversations.transfers.goodput import Span, arrivals, busy_spans, delivered, goodput, variation


def _arrays(*segments: tuple[float, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time_s, seq, size = zip(*segments, strict=True)
    return np.array(time_s), np.array(seq, np.int64), np.array(size, np.int64)


def test_a_repeated_segment_brings_nothing_new() -> None:
    seen = arrivals(*_arrays((0.0, 1, 100), (0.1, 101, 100), (0.5, 1, 100)), rtt_s=0.1)
    assert seen.new_bytes.tolist() == [100, 100, 0]
    assert seen.again.tolist() == [False, False, True]


def test_a_hole_filled_soon_is_reordering_and_late_is_a_retransmission() -> None:
    soon = arrivals(*_arrays((0.0, 1, 100), (0.1, 201, 100), (0.12, 101, 100)), rtt_s=0.1)
    late = arrivals(*_arrays((0.0, 1, 100), (0.1, 201, 100), (0.18, 101, 100)), rtt_s=0.1)
    assert soon.again.tolist() == [False, False, False]
    assert late.again.tolist() == [False, False, True]
    assert late.new_bytes.tolist() == [100, 100, 100]
    assert late.hole_bytes.tolist() == [0, 100, 0]


def test_a_packet_captured_twice_is_not_a_retransmission() -> None:
    seen = arrivals(*_arrays((0.0, 1, 100), (0.00001, 1, 100)), rtt_s=0.1)
    assert not seen.again.any()
    assert seen.new_bytes.sum() == 100


def test_a_segment_that_overlaps_counts_only_its_new_bytes() -> None:
    seen = arrivals(*_arrays((0.0, 1, 100), (0.1, 301, 100), (0.5, 51, 400)), rtt_s=0.1)
    assert seen.new_bytes.tolist() == [100, 100, 250]
    assert seen.hole_bytes.tolist() == [0, 200, 0]


def test_whatever_the_order_every_byte_after_the_first_counts_once() -> None:
    order = np.append(0, np.random.default_rng(7).permutation(np.repeat(np.arange(200), 3)))
    seen = arrivals(np.arange(601) / 100, 1 + order * 50, np.full(601, 50), rtt_s=0.1)
    assert int(seen.new_bytes.sum()) == 200 * 50
    assert seen.hole_bytes[-1] == 0


def test_duplicate_acks_count_a_segment_each_and_the_jump_after_them_less() -> None:
    ack = np.array([1, 1001, 1001, 1001, 5001], np.int64)
    new = delivered(ack, np.zeros(5, np.int64), np.full(5, True), segment_bytes=1000)
    assert new.tolist() == [0, 1000, 1000, 1000, 2000]


def test_duplicate_acks_without_data_outstanding_deliver_nothing() -> None:
    ack = np.array([1, 1001, 1001], np.int64)
    assert delivered(ack, np.zeros(3, np.int64), np.full(3, False), segment_bytes=1000).tolist() == [0, 1000, 0]


def test_windows_start_after_the_skip_and_the_partial_one_is_dropped() -> None:
    time_s, new = np.arange(0, 2.0, 0.125), np.full(16, 1000)
    windows = goodput(time_s, new, spans=(Span(0.0, 1.9),), window_s=0.25, skip_s=0.5)
    assert windows.tolist() == [8000.0] * 5


def test_an_empty_window_is_zero_and_counts() -> None:
    windows = goodput(np.array([0.0, 0.9]), np.array([100, 100]), spans=(Span(0.0, 1.0),), window_s=0.25)
    assert windows.tolist() == [400.0, 0.0, 0.0, 400.0]


def test_a_span_shorter_than_a_window_gives_an_empty_array() -> None:
    assert not len(goodput(np.array([0.0]), np.array([1]), spans=(Span(0.0, 0.2),), window_s=0.25))


def test_a_window_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        goodput(np.array([0.0]), np.array([1]), spans=(), window_s=0.0)


def test_idle_stretches_cut_the_time_into_spans() -> None:
    spans = busy_spans(np.array([0.0, 1.0, 5.0, 6.0]), idle=[Span(1.0, 5.0)])
    assert spans == (Span(0.0, 1.0), Span(5.0, 6.0))


def test_constant_goodput_does_not_vary() -> None:
    assert variation(np.full(10, 5.0)) == 0.0
    assert variation(np.array([0.0, 10.0])) > 1

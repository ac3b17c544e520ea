"""A transfer is read alike from either end, and its shape is that of what held it back."""

from __future__ import annotations

import pytest

from fingerprint.conversations.transfers.controls import compare, turns
from fingerprint.conversations.transfers.freezes import freeze, same_cap
from fingerprint.conversations.transfers.loads import Loads
from fingerprint.conversations.transfers.shapes import bucket, shape
from fingerprint.conversations.transfers.suspects import DOUBT_RATIO, paces, suspects
from fingerprint.conversations.transfers.transfers import Transfer, transfer
from tests.conversations.transfer_talk import Path, Talk, capped, capture, link, policed, shaped


def _fast(loss: float = 0.0) -> Path:
    return link(20e6, 0.03, loss=loss)


def _seen(talk: Talk) -> Transfer:
    found = transfer(capture(talk).streams[0], from_client=False)
    assert found is not None
    return found


@pytest.mark.parametrize("view", ["receiver", "sender"])
@pytest.mark.parametrize("rate_bps", [300e3, 1.2e6])
def test_a_policer_is_found_from_both_ends_with_rate_and_burst(view: str, rate_bps: float) -> None:
    t = _seen(Talk(path=policed(_fast(), rate_bps, rate_bps / 8), size_bytes=int(rate_bps), view=view))
    assert t.end == view
    assert shape(t) == "policer"
    found = bucket(t, "policer")
    assert found is not None
    assert found.rate_bps.value == pytest.approx(rate_bps, rel=0.25)
    assert found.burst_bytes.value == pytest.approx(rate_bps / 8, rel=0.5)


@pytest.mark.parametrize("view", ["receiver", "sender"])
def test_a_policer_is_found_behind_a_sender_that_ignores_loss(view: str) -> None:
    t = _seen(Talk(path=policed(_fast(), 1e6, 50e3), sender="paced", pace_bps=1.5e6, view=view))
    assert shape(t) == "policer"
    assert t.limiter.policer is not None
    assert t.limiter.policer.rate_bps.value == pytest.approx(1e6, rel=0.25)


@pytest.mark.parametrize("view", ["receiver", "sender"])
@pytest.mark.parametrize("rate_bps", [200e3, 1e6])
def test_a_shaper_shows_its_queue_and_its_rate(view: str, rate_bps: float) -> None:
    t = _seen(Talk(path=shaped(_fast(), rate_bps, 20e3), size_bytes=int(rate_bps), view=view))
    assert shape(t) == "shaper"
    found = bucket(t, "shaper")
    assert found is not None
    assert found.rate_bps.value == pytest.approx(rate_bps, rel=0.25)


@pytest.mark.parametrize("share", [0.07, 0.2])
def test_random_loss_under_a_paced_sender_is_no_policer(share: float) -> None:
    t = _seen(Talk(path=_fast(share), sender="paced", pace_bps=2e6, size_bytes=2_000_000))
    assert shape(t) == "loss"


def test_random_loss_is_no_policer() -> None:
    assert shape(_seen(Talk(path=_fast(0.03), size_bytes=2_000_000))) == "loss"


def test_an_added_delay_is_there_from_the_first_answer() -> None:
    later = link(20e6, 0.33)  # the handshake took 60 ms
    assert shape(_seen(Talk(path=later, size_bytes=3_000_000))) == "delay"


def test_a_queue_that_fills_is_no_added_delay() -> None:
    assert shape(_seen(Talk(path=shaped(_fast(), 400e3, 10e3), size_bytes=400_000))) == "shaper"


@pytest.mark.parametrize("view", ["receiver", "sender"])
def test_an_upload_through_a_policer_is_read_like_a_download(view: str) -> None:
    talk = Talk(path=policed(_fast(), 600e3, 75e3), size_bytes=600_000, view=view, upload=True)
    stream = capture(talk).streams[0]
    assert transfer(stream, from_client=False) is None
    t = transfer(stream, from_client=True)
    assert t is not None
    assert (t.end, shape(t)) == (view, "policer")
    found = bucket(t, "policer")
    assert found is not None
    assert found.rate_bps.value == pytest.approx(600e3, rel=0.25)
    assert found.burst_bytes.value == pytest.approx(75e3, rel=0.25)


@pytest.mark.parametrize("view", ["receiver", "sender"])
@pytest.mark.parametrize("upload", [False, True])
def test_the_acknowledgement_of_a_late_fin_delivers_nothing(view: str, *, upload: bool) -> None:
    talk = Talk(path=_fast(), size_bytes=400_000, view=view, upload=upload, linger_s=15.0)
    t = transfer(capture(talk).streams[0], from_client=upload)
    assert t is not None
    assert t.busy_s < 2.0
    assert t.new_bytes == 400_000 // 1448 * 1448 + (100 if upload else 0)  # an upload begins with the request


@pytest.mark.parametrize("view", ["receiver", "sender"])
def test_a_server_that_pauses_has_no_shape(view: str) -> None:
    talk = Talk(path=_fast(), size_bytes=400_000, server_delay_s=lambda n: 0.5 if n % 10 == 0 else 0.0, view=view)
    assert shape(_seen(talk)) is None


def test_a_path_that_is_never_full_has_no_shape() -> None:
    assert shape(_seen(Talk(path=_fast(), sender="paced", pace_bps=5e6, size_bytes=3_000_000))) is None


def test_a_small_answer_is_not_a_transfer() -> None:
    assert transfer(capture(Talk(path=_fast(), size_bytes=40_000)).streams[0], from_client=False) is None


@pytest.mark.parametrize("cap", [9_000, 16_000, 40_000])
@pytest.mark.parametrize("view", ["receiver", "sender"])
def test_a_freeze_is_seen_from_both_ends_at_any_cap(cap: int, view: str) -> None:
    found = freeze(capture(Talk(path=capped(_fast(), cap), view=view)).streams[0], from_client=False)
    assert found is not None
    assert found.passed_bytes == pytest.approx(cap, rel=0.1)


def test_a_path_that_passes_no_full_segment_is_no_cap() -> None:
    assert freeze(capture(Talk(path=capped(_fast(), 1500))).streams[0], from_client=False) is None


def test_a_transfer_that_ends_in_order_did_not_freeze() -> None:
    assert freeze(capture(Talk(path=_fast())).streams[0], from_client=False) is None


def test_only_equal_caps_are_the_same_cap() -> None:
    def frozen(*caps: int) -> bool:
        talks = [Talk(path=capped(_fast(), cap), start_s=i * 2.0) for i, cap in enumerate(caps)]
        found = [freeze(s, from_client=False) for s in capture(*talks).streams]
        return same_cap([f for f in found if f is not None])

    assert frozen(16_000, 17_000)
    assert not frozen(16_000, 40_000)
    assert not frozen(16_000)


def test_the_other_name_on_the_address_is_the_better_control() -> None:
    talks = (
        Talk(path=policed(_fast(), 300e3, 30e3), name="a.example", size_bytes=400_000),
        Talk(path=_fast(), name="b.example", start_s=12.0),
        Talk(path=_fast(), name="c.example", server="198.51.100.99", start_s=14.0),
    )
    loads = Loads(capture(*talks).streams)
    found = compare(loads.all[0], loads)
    assert found is not None
    assert found.same_address
    assert [c.stream.name for c in found.controls] == ["b.example"]
    assert found.ratio.high < 0.33
    transfers = [t for load in loads.all if (t := loads.transfer(load))]
    assert turns(transfers[:1], transfers[1:]) == 1


def test_a_transfer_two_minutes_away_is_no_control() -> None:
    talks = (
        Talk(path=policed(_fast(), 300e3, 30e3), name="a.example", size_bytes=400_000),
        Talk(path=_fast(), name="b.example", start_s=180.0),
    )
    loads = Loads(capture(*talks).streams)
    assert compare(loads.all[0], loads) is None


def test_only_what_may_be_slow_beside_another_is_looked_at() -> None:
    talks = [Talk(path=_fast(), name=f"{i}.example", start_s=2.0 * i, port=40000 + i) for i in range(6)]
    loads = Loads(capture(*talks).streams)
    assert len(loads.all) == 6
    assert suspects(loads, slow_ratio=0.33, alone_s=3.5) == []
    slow = Talk(path=policed(_fast(), 300e3, 30e3), name="slow.example", start_s=13.0, size_bytes=400_000, port=40009)
    found = suspects(Loads(capture(*talks, slow).streams), slow_ratio=0.33, alone_s=3.5)
    assert [load.stream.name for load in found] == ["slow.example"]


def test_what_is_slow_without_any_control_is_looked_at_if_it_lasted() -> None:
    slow = [Talk(path=policed(_fast(), 300e3, 30e3), name="a.example", size_bytes=400_000, start_s=s) for s in (0, 20)]
    assert len(suspects(Loads(capture(*slow).streams), slow_ratio=0.33, alone_s=3.5)) == 2
    assert suspects(Loads(capture(*slow).streams), slow_ratio=0.33, alone_s=60.0) == []


def test_a_rough_goodput_brackets_the_exact_one() -> None:
    paths = (_fast(), policed(_fast(), 300e3, 30e3), shaped(_fast(), 300e3, 30e3), _fast(0.03))
    talks = [Talk(path=p, size_bytes=600_000, start_s=40.0 * i) for i, p in enumerate(paths)]
    loads = Loads(capture(*talks).streams)
    for load, low, high in zip(loads.all, *paces(loads.all), strict=True):
        exact = loads.transfer(load)
        assert exact is not None
        mean = float(exact.samples_bytes_s.mean())
        assert low / DOUBT_RATIO <= mean <= high * DOUBT_RATIO

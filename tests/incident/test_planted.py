"""Planted incidents with something that could be mistaken for blocking, or for one cause: both halves."""

from __future__ import annotations

import pytest

from fingerprint.accounts import Problem
from fingerprint.incident.making import Only
from fingerprint.vantages.vantage import Clock
from tests.incident.by_hand import account, at, cell, incident, mechanism, minutes, rounds, target

THREE = ("tweets.test", "stream.test", "meet.test")


def night(first, last, length=48):
    return "." * first + "b" * (last - first) + "." * (length - last)


def kinds(found):
    return [d.kind for d in found.doubts]


def test_an_outage_at_all_vantages_hours_earlier_is_an_event_of_its_own_and_unrelated():
    rows = {"tweets.test": night(30, 44), "stream.test": night(30, 44), "meet.test": "..dddd" + night(24, 38, 42)}
    calm = {"tweets.test": "." * 48, "stream.test": "." * 48, "meet.test": "..dddd" + "." * 42}
    found = incident(rounds("Alpha", rows), rounds("Beta", rows), rounds("VPN", calm))
    blocked, down = found.events
    assert (blocked.state, down.state) == ("blocked", "down")
    assert blocked.services == ("tweets", "stream", "meet")
    assert blocked.vantages == ("Alpha", "Beta")
    assert down.services == ("meet",)
    assert down.vantages == ("Alpha", "Beta", "VPN")
    assert "unrelated" in down.says
    for reason in ("had ended", "no interference", "all 3 vantages"):
        assert reason in down.says
    assert cell(found, "meet", "VPN").state == "down"
    assert "unrelated" in found.paragraph
    assert "Nothing was blocked at VPN" in found.paragraph


def test_an_outage_at_the_same_time_is_not_called_unrelated():
    found = incident(rounds("Alpha", {"tweets.test": night(20, 30), "meet.test": "." * 22 + "dddd" + "." * 22}))
    down = next(e for e in found.events if e.state == "down")
    assert "is open" in down.says
    assert "unrelated" not in down.says


def test_where_the_controls_fail_too_nothing_is_blocked():
    rows = {name: night(20, 30) for name in THREE}
    found = incident(rounds("Alpha", rows, controls="." * 20 + "d" * 10 + "." * 18))
    assert found.answer == "down"
    assert [e.state for e in found.events] == ["down"]
    assert "Controls failed too at Alpha: 0 of 10" in found.events[0].says
    assert "the line" in found.headline
    assert "blocked" not in found.headline


def test_a_vantage_without_controls_is_named_in_the_paragraph_too():
    rows = {name: night(20, 30) for name in THREE}
    found = incident(rounds("Alpha", rows), rounds("Beta", rows, controls=None))
    assert "Controls stayed up; none was seen at Beta." in found.paragraph
    assert "; none" not in incident(rounds("Alpha", rows)).paragraph


def test_controls_that_fail_at_another_vantage_excuse_nobody():
    rows = {name: night(20, 30) for name in THREE}
    out = rounds("Beta", dict.fromkeys(THREE, "." * 20 + "d" * 10 + "." * 18), controls="." * 20 + "d" * 10 + "." * 18)
    found = incident(rounds("Alpha", rows), out)
    assert found.answer == "blocked"
    assert found.events[0].vantages == ("Alpha",)
    assert [e.state for e in found.events] == ["blocked", "down"]


SAME_PLACE = {"endpoints": ["151.101.1.7:443/tcp"]}


def test_services_on_one_server_have_nothing_left_to_coincide():
    rows = {"tweets.test": night(24, 40), "stream.test": night(24, 40)}
    found = incident(rounds("Alpha", rows, **dict.fromkeys(rows, SAME_PLACE)))
    event = found.events[0]
    shared = next(d for d in event.discounts if d.what == "server")
    assert event.test
    assert event.test.p_value < 0.05
    assert shared.p_value == 1.0
    assert "may be the whole reason" in event.says
    assert "together" not in found.headline


def test_a_server_at_which_a_control_worked_did_not_fail():
    rows = {"tweets.test": night(24, 40), "stream.test": night(24, 40)}
    accounts = rounds("Alpha", rows, **dict.fromkeys(rows, SAME_PLACE))
    for a in accounts:
        a.document["targets"][-1]["endpoints"].extend(SAME_PLACE["endpoints"])
        assert a.document["targets"][-1]["role"] == "control"
    found = incident(accounts)
    assert [d.what for d in found.events[0].discounts] == ["vantage"]
    assert "together" in found.headline


def test_vantages_that_only_people_tell_of_do_not_count_among_those_that_looked():
    rows = {"tweets.test": night(30, 44), "meet.test": "..dddd" + "." * 42}
    calm = {"tweets.test": "." * 48, "meet.test": "..dddd" + "." * 42}
    told = account("Somewhere", [target("tweets.test", 0, "insufficient")], kind="told", clock=Clock())
    found = incident(rounds("Alpha", rows), rounds("Beta", calm), [told])
    assert "all 2 vantages" in next(e.says for e in found.events if e.state == "down")
    assert not any("Somewhere" in line and "clocks" in line for line in found.unknown)


def test_one_network_shared_by_two_of_three_services_is_discounted_to_the_chance_of_two():
    changes = {
        "tweets.test": {"endpoints": ["151.101.1.7:443/tcp"]},
        "stream.test": {"endpoints": ["151.101.1.99:443/tcp"]},
    }
    found = incident(rounds("Alpha", {name: night(24, 40) for name in THREE}, **changes))
    event = found.events[0]
    shared = next(d for d in event.discounts if d.what == "prefix")
    assert shared.value == "151.101.1.0/24"
    assert event.test
    assert event.test.p_value < shared.p_value < 0.05
    assert "together" in found.headline


def test_services_of_one_operator_count_as_one_where_a_table_says_so():
    from fingerprint.incident.infrastructure import Tables
    from fingerprint.incident.making import Knowledge

    accounts = rounds("Alpha", {name: night(24, 40) for name in THREE})
    beside = {"tweets": ("www.owner.test",), "stream": ("www.owner.test",), "meet": ("www.other.test",)}
    event = incident(accounts, knowledge=Knowledge(tables=Tables(beside=beside))).events[0]
    shared = next(d for d in event.discounts if d.what == "operator")
    assert "tweets and stream share the infrastructure of www.owner.test" in shared.says
    assert shared.p_value == pytest.approx(1 / 48)


def test_services_of_one_autonomous_system_count_as_one_where_a_table_says_so():
    from fingerprint.incident.infrastructure import Tables
    from fingerprint.incident.making import Knowledge

    accounts = rounds("Alpha", {name: night(24, 40) for name in THREE})
    event = incident(accounts, knowledge=Knowledge(tables=Tables(as_of=lambda *_: 54113))).events[0]
    assert {d.what for d in event.discounts} >= {"asn", "cdn"}
    assert all(d.p_value == 1.0 for d in event.discounts if d.what in ("asn", "cdn"))


LIED = {"ways": [mechanism("dns.injection.bogon", position="resolver")]}


def test_one_resolver_that_lies_about_all_explains_that_they_began_together():
    found = incident(rounds("Alpha", {name: night(24, 40) for name in THREE}, **dict.fromkeys(THREE, LIED)))
    shared = next(d for d in found.events[0].discounts if d.what == "resolver")
    assert shared.value == "of Alpha"
    assert shared.p_value == 1.0
    assert "together" not in found.headline


def test_what_began_in_other_cells_by_other_means_is_not_explained_by_the_resolver():
    rows = {name: night(24, 40) for name in (*THREE, *(f"img.{name}" for name in THREE))}
    images = {f"img.{name}": {"service": name.split(".")[0], "role": "image"} for name in THREE}
    found = incident(rounds("Alpha", rows, **dict.fromkeys(THREE, LIED), **images))
    event = found.events[0]
    shared = next(d for d in event.discounts if d.what == "resolver")
    assert event.test
    assert shared.p_value == event.test.p_value < 0.05
    assert "together" in found.headline


def test_services_of_networks_of_their_own_are_not_discounted():
    found = incident(rounds("Alpha", {name: night(24, 40) for name in THREE}))
    assert [d.what for d in found.events[0].discounts] == ["vantage"]


def test_names_that_no_table_knows_may_have_one_owner():
    rows = {"a.tweets.test": night(24, 40), "b.pictures.test": night(24, 40)}
    accounts = rounds("Alpha", rows)
    for a in accounts:
        for t in a.document["targets"]:
            t["service"] = None if t["role"] != "control" else "control"
    found = incident(accounts)
    assert {s for s, _ in found.services} == {"tweets.test", "pictures.test"}
    assert "service" in kinds(found)
    assert any(d.what == "owner" for d in found.events[0].discounts)
    assert "together" not in found.headline


def test_a_clock_that_is_known_to_be_wrong_is_set_right():
    rows = {name: night(24, 40) for name in THREE}
    right = rounds("Alpha", rows)
    wrong = rounds("Beta", rows, clock=Clock(offset_s=3600.0, error_s=2.0, source="manifest"))
    found = incident(right, wrong)
    assert minutes(cell(found, "tweets", "Beta").stretches[1].onset.before_ns) == pytest.approx(24 * 5 + 60, abs=0.2)
    assert len([e for e in found.events if e.state == "blocked"]) == 2


def test_a_clock_s_error_widens_every_onset():
    sure = incident(rounds("Alpha", {"tweets.test": night(24, 40)}))
    vague = incident(rounds("Alpha", {"tweets.test": night(24, 40)}, clock=Clock(error_s=120.0)))
    a, b = (cell(f, "tweets", "Alpha").stretches[1].onset for f in (sure, vague))
    assert a.after_ns is not None
    assert b.after_ns == a.after_ns - 120 * 10**9
    assert b.before_ns == a.before_ns + 120 * 10**9


def test_clocks_that_nobody_knows_are_named_where_there_are_several_vantages():
    rows = {"tweets.test": night(24, 40)}
    nobody = Clock()
    found = incident(rounds("Alpha", rows, clock=nobody), rounds("Beta", rows, clock=nobody))
    assert any("clocks are off at Alpha, Beta" in line for line in found.unknown)
    alone = incident(rounds("Alpha", rows, clock=nobody))
    assert not any("clocks" in line for line in alone.unknown)


def test_a_clock_that_was_never_set_makes_no_event():
    early = account("Gamma", [target("tweets.test", -26_400_000, "blocked")])
    found = incident(rounds("Alpha", {"tweets.test": "." * 12}), [early])
    assert found.answer == "ok"
    assert found.events == ()
    assert "never set" in next(d.says for d in found.doubts if d.kind == "clock")


def test_two_accounts_of_one_vantage_that_disagree_about_its_clock_are_named():
    one = account("Alpha", [target("tweets.test", 0)], clock=Clock(offset_s=0.0, error_s=1.0))
    other = account("Alpha", [target("tweets.test", 5)], clock=Clock(offset_s=30.0, error_s=1.0))
    assert "clock" in kinds(incident([one, other]))
    close = account("Alpha", [target("tweets.test", 5)], clock=Clock(offset_s=0.5, error_s=1.0))
    assert "clock" not in kinds(incident([one, close]))


def test_accounts_that_contradict_each_other_make_their_time_unknown():
    rows = {"tweets.test": "." * 24}
    contrary = account("Alpha", [target("tweets.test", 50, "blocked")], number=99)
    found = incident(rounds("Alpha", rows), [contrary])
    doubt = next(d for d in found.doubts if d.kind == "contradiction")
    assert "ok by" in doubt.says
    assert "blocked by" in doubt.says
    assert [s.state for s in cell(found, "tweets", "Alpha").stretches] == ["ok", "unknown", "ok"]
    assert found.answer == "ok"


def test_blocked_and_ok_one_after_the_other_are_a_change_and_no_contradiction():
    found = incident(rounds("Alpha", {"tweets.test": "...bbb"}))
    assert "contradiction" not in kinds(found)
    assert [s.state for s in cell(found, "tweets", "Alpha").stretches] == ["ok", "blocked"]


def test_a_lone_contrary_sighting_in_a_long_stretch_is_told_and_splits_nothing():
    row = "." * 20 + "b" + "." * 20
    found = incident(rounds("Alpha", {"tweets.test": row}))
    one = cell(found, "tweets", "Alpha")
    assert one.state == "ok"
    assert [s.state for s in one.stretches] == ["ok"]
    assert "1 blocked" in one.says
    assert any("lone blocked verdict" in line for line in found.unknown)
    assert found.events == ()
    missed = incident(rounds("Alpha", {"tweets.test": "." * 10 + "b" * 10 + "." + "b" * 10}))
    assert [s.state for s in cell(missed, "tweets", "Alpha").stretches] == ["ok", "blocked"]


def test_sightings_that_settle_nothing_neither_begin_nor_end_a_stretch():
    found = incident(rounds("Alpha", {"tweets.test": "....??bbbb?!bb..??.."}))
    states = [s.state for s in cell(found, "tweets", "Alpha").stretches]
    assert states == ["ok", "blocked", "ok"]
    onset = cell(found, "tweets", "Alpha").stretches[1].onset
    assert minutes(onset.after_ns) == pytest.approx(15.2, abs=0.1)
    assert minutes(onset.before_ns) == pytest.approx(30.0, abs=0.1)


def test_a_time_in_which_nobody_looked_is_unknown():
    found = incident(rounds("Alpha", {"tweets.test": "......" + " " * 10 + "......"}))
    assert [s.state for s in cell(found, "tweets", "Alpha").stretches] == ["ok", "unknown", "ok"]
    assert any("nobody settled" in line for line in found.unknown)
    short = incident(rounds("Alpha", {"tweets.test": "......" + "  " + "......"}))
    assert [s.state for s in cell(short, "tweets", "Alpha").stretches] == ["ok"]


def test_a_capture_in_which_a_name_worked_and_then_failed_holds_its_onset_if_the_next_one_only_fails():
    spans = {"worked": (0, 10), "failed": (12, 30)}
    one = target("tweets.test", 0, "blocked", lasts_s=1800, **spans_as_times(spans))
    later = target("tweets.test", 35, "blocked", lasts_s=600, **spans_as_times({"failed": (0, 10)}, 35))
    found = incident([account("Alpha", [one]), account("Alpha", [later], number=1)])
    ok, blocked = cell(found, "tweets", "Alpha").stretches
    assert (ok.state, blocked.state) == ("ok", "blocked")
    assert (minutes(blocked.onset.after_ns), minutes(blocked.onset.before_ns)) == (10.0, 12.0)


@pytest.mark.parametrize("spans", [{"worked": (0, 1), "failed": (2, 3)}, {"failed": (0, 1), "worked": (2, 3)}])
def test_one_capture_alone_may_show_two_ways_to_ask_and_no_change(spans):
    found = incident([account("Alpha", [target("tweets.test", 0, "blocked", lasts_s=180, **spans_as_times(spans))])])
    (only,) = cell(found, "tweets", "Alpha").stretches
    assert only.state == "blocked"
    assert (only.onset.after_ns, only.end.before_ns) == (None, None)


def test_what_one_run_finds_name_after_name_is_one_event():
    names = [target(f"{name}.test", n * 0.5, "blocked", lasts_s=10) for n, name in enumerate(("a", "b", "c"))]
    found = incident([account("Alpha", names)])
    (event,) = found.events
    assert event.services == ("a", "b", "c")
    assert event.test is None


def test_a_name_that_works_and_fails_in_every_capture_did_not_change():
    spans = {"worked": (0, 1), "failed": (2, 3)}
    every = [
        account("Alpha", [target("tweets.test", n * 5, "blocked", **spans_as_times(spans, n * 5))], number=n)
        for n in range(6)
    ]
    found = incident(every)
    assert [s.state for s in cell(found, "tweets", "Alpha").stretches] == ["blocked"]
    assert found.events[0].onset.after_ns is None
    assert "first look" in found.headline


def spans_as_times(spans, begin=0):
    from fingerprint.report.numbers import timestamp

    return {key: [timestamp(at(begin + a)), timestamp(at(begin + b))] for key, (a, b) in spans.items()}


def test_names_of_one_role_join_and_say_how_many_of_them_fail():
    rows = {"a.tweets.test": night(10, 20, 30), "b.tweets.test": night(12, 18, 30), "c.tweets.test": "." * 30}
    changes = {name: {"service": "tweets", "role": "image"} for name in rows}
    found = incident(rounds("Alpha", rows, **changes))
    one = cell(found, "tweets", "Alpha", "image")
    assert one.targets == tuple(rows)
    assert "2 of 3 names" in one.says
    assert [s.state for s in one.stretches] == ["ok", "blocked", "ok"]
    assert minutes(one.stretches[1].onset.before_ns) == pytest.approx(50.0, abs=0.1)
    assert minutes(one.stretches[1].end.after_ns) == pytest.approx(95.2, abs=0.1)


def test_one_cell_may_have_two_mechanisms():
    both = {"ways": [mechanism("dns.injection.bogon", position="on-path"), mechanism("tls.reset.sni")]}
    found = incident(rounds("Alpha", {"tweets.test": night(10, 20, 30)}, **{"tweets.test": both}))
    assert set(cell(found, "tweets", "Alpha").mechanisms) == {"dns.injection.bogon", "tls.reset.sni"}


def test_what_different_sightings_share_is_said_and_no_more():
    rows = [["tls.reset.sni", "tls.reset.ech"][n % 2] for n in range(10)]
    accounts = [
        account("Alpha", [target("tweets.test", n * 5, "blocked", ways=[mechanism(node)])], number=n)
        for n, node in enumerate(rows)
    ]
    assert cell(incident(accounts), "tweets", "Alpha").mechanisms == ("tls.reset",)


def test_slowing_is_called_slowing():
    slow = {"ways": [mechanism("tls.throttle.sni", rate_bps=140_000, shape="policer")], "reach": "degraded"}
    found = incident(rounds("Alpha", {"tweets.test": night(10, 20, 30)}, **{"tweets.test": slow}))
    assert cell(found, "tweets", "Alpha").rate_bps == 140_000
    assert "slowed" in found.headline
    assert "blocked" not in found.headline
    assert found.answer == "blocked"


def test_one_device_over_services_is_said_and_decides_nothing():
    match = {"name": "unknown, cluster 12ab", "score": 0.0, "fits": [], "contradicts": [], "source": "s"}
    same = {name: {"ways": [mechanism(injector=[match])]} for name in THREE}
    with_it = incident(rounds("Alpha", {name: night(24, 40) for name in THREE}, **same))
    without = incident(rounds("Alpha", {name: night(24, 40) for name in THREE}))
    assert with_it.events[0].injectors == (("unknown, cluster 12ab", (0, 1, 2)),)
    assert "one hand and proves none" in with_it.events[0].says
    assert with_it.events[0].test == without.events[0].test
    assert without.events[0].injectors == ()


def test_what_was_told_alone_is_insufficient():
    told = account(
        "Alpha", [target("tweets.test", 0, "insufficient"), target("meet.test", 0, "insufficient")], kind="told"
    )
    found = incident([told])
    assert found.answer == "insufficient"
    assert "people told" in found.headline
    assert found.events == ()


def test_a_simulation_says_so_in_its_first_words():
    found = incident(rounds("Alpha", {"tweets.test": night(24, 40)}, simulated="the evening"))
    for text in (found.headline, found.paragraph):
        assert text.startswith("A simulation (the evening), not a measurement: ")
    assert "simulation" not in kinds(found)


def test_a_simulation_beside_a_real_line_is_a_doubt():
    rows = {"tweets.test": night(24, 40)}
    found = incident(rounds("Alpha", rows, simulated="the evening"), rounds("Beta", rows))
    assert found.headline.startswith("A simulation in part")
    assert "simulation" in kinds(found)


def test_files_that_say_nothing_of_their_place_are_one_vantage_and_a_doubt():
    from dataclasses import replace

    from fingerprint.vantages.vantage import Vantage

    accounts = [replace(a, vantage=Vantage()) for a in rounds("Alpha", {"tweets.test": "...."})]
    found = incident(accounts)
    assert [v.key for v in found.vantages] == ["unnamed"]
    assert "vantage" in kinds(found)


def test_several_clients_of_a_capture_are_vantages_of_their_own():
    targets = [target("tweets.test", 0, vantage="client 1"), target("tweets.test", 0, "blocked", vantage="client 2")]
    found = incident([account("Alpha", targets)])
    assert {c.vantage: c.state for c in found.cells} == {"Alpha, client 1": "ok", "Alpha, client 2": "blocked"}


def test_problems_of_gathering_are_doubts():
    found = incident([account("Alpha", [target("a.test", 0)])], problems=(Problem(file="x", says="x is broken"),))
    assert [d.says for d in found.doubts] == ["x is broken"]


def test_only_what_was_asked_for_is_looked_at():
    rows = {"tweets.test": night(24, 40), "stream.test": night(24, 40)}
    one = incident(rounds("Alpha", rows), only=Only(services=("tweets",)))
    assert [c.service for c in one.cells] == ["tweets"]
    assert "31 of 31" in one.events[0].controls or "controls stayed up" in one.events[0].controls
    assert one.unknown[0].startswith("everything but services tweets")
    early = incident(rounds("Alpha", rows), only=Only(until_ns=at(60)))
    assert early.answer == "ok"


def test_repeats_make_a_cell_surer_than_its_best_sighting_and_never_certain():
    def posterior(blocked):
        return cell(incident(rounds("Alpha", {"tweets.test": "." * 5 + "b" * blocked})), "tweets", "Alpha").posterior

    assert posterior(1) == pytest.approx(0.99)
    assert posterior(2) == pytest.approx(0.9995, abs=1e-4)
    assert posterior(2) < posterior(100) < 0.999999


def test_a_paragraph_has_at_most_a_hundred_and_twenty_words():
    names = {f"s{n}.test": night(20 + n % 2, 40) for n in range(9)}
    found = incident(*(rounds(f"V{v}", names) for v in range(6)))
    assert len(found.paragraph.split()) <= 120


def test_the_same_accounts_give_the_same_incident():
    def made():
        return incident(rounds("Alpha", {name: night(24, 40) for name in THREE}))

    assert made() == made()

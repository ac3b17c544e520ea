"""A table of services says what a name is called. It moves no state, no mechanism, no number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import captures
from captures.errors import TargetError
from fingerprint import services
from fingerprint.services.choosing import chosen
from fingerprint.services.model import Services
from fingerprint.services.reading import read
from fingerprint.verbs import analysing

SAMPLES = Path(captures.__file__).parent / "samples"
CASES = ("sni_forged_reset", "dns_race", "doq_dropped", "dns_lying_resolver", "client_aborts", "throttled_policer")


def judged(*cases):
    files = [str(next(p for p in (SAMPLES / case).glob("capture.*"))) for case in cases]
    return analysing.judged(files, analysing.registry((), (), ()), jobs=1)


def service_of(names):
    """A service that claims every name of a report, each in a role of its own name."""
    rows = "\n".join(
        f'[[endpoint]]\nrole = "image"\nname = "{name}"\nsource = "here"\nstanding = "read"' for name in names
    )
    head = 'id = "everything"\ntitle = "-"\nversion = "7"\nabout = "-"\nkind = "-"\nsensitive = false\n'
    return read((head + rows).encode(), own=True)


@pytest.fixture
def tables(monkeypatch):
    """Lets a test say which services are at hand."""
    return lambda known: monkeypatch.setattr(services, "at_hand", lambda: (known, ()))


def test_with_the_table_emptied_or_claiming_everything_each_verdict_is_the_same(tables):
    tables(Services())
    bare = judged(*CASES)
    tables(Services(services=(service_of({v.target for v in bare.verdicts}),)))
    full = judged(*CASES)
    assert {v.service for v in bare.verdicts} == {None}
    assert {v.service for v in full.verdicts} == {"everything"}
    assert [replace(v, service=None, role=None) for v in full.verdicts] == [
        replace(v, service=None, role=None) for v in bare.verdicts
    ]


def test_a_role_by_script_or_port_stays(tables):
    tables(Services())
    bare = judged("doq_dropped")
    given = {v.target: v.role for v in bare.verdicts if v.role}
    assert "resolver" in given.values()
    tables(Services(services=(service_of({v.target for v in bare.verdicts}),)))
    roles = {v.target: v.role for v in judged("doq_dropped").verdicts}
    assert {t: roles[t] for t in given} == given
    assert {role for target, role in roles.items() if target not in given} <= {"image"}


def test_a_report_names_only_the_services_that_it_used():
    report = judged("sni_forged_reset", "dot_dropped_on_the_way")
    named = {t[0] for t in report.tables if t[0].startswith("services/")}
    assert named == {f"services/{v.service}" for v in report.verdicts if v.service}
    assert named
    assert not any(t[0].startswith("services/") for t in judged("sni_forged_reset").tables)


def test_only_a_service_and_the_controls_are_kept():
    report = judged("sni_forged_reset", "dot_dropped_on_the_way")
    kept = chosen(["quad9"]).kept(report)
    assert {v.service for v in kept.verdicts} == {"quad9"}
    assert len(kept.verdicts) < len(report.verdicts)
    assert [t[0] for t in kept.tables if t[0].startswith("services/")] == ["services/quad9"]
    assert kept.captures == report.captures


def test_controls_of_a_script_are_kept_beside_the_service():
    report = judged("sni_forged_reset")
    one = replace(report.verdicts[0], target="weather.test", role="control", service=None)
    kept = chosen(["quad9"]).kept(replace(report, verdicts=(*report.verdicts, one)))
    assert [v.target for v in kept.verdicts] == ["weather.test"]


def test_a_file_of_ones_own_counts_for_this_run(tmp_path):
    report = judged("sni_forged_reset")
    name = report.verdicts[0].target
    file = tmp_path / "mine.toml"
    file.write_text(
        f'id = "mine"\ntitle = "Mine"\nversion = "1"\nabout = "-"\nkind = "-"\nsensitive = false\n'
        f'[[endpoint]]\nrole = "web"\nname = "{name}"\nsource = "here"\nstanding = "read"\n'
    )
    kept = chosen([str(file)]).kept(report)
    assert [(v.target, v.service, v.role) for v in kept.verdicts] == [(name, "mine", "web")]
    assert ("services/mine", "1", chosen([str(file)]).services[0].sha256) in kept.tables
    assert services.of(name, 0) is None
    again = chosen([str(file), str(file)])
    assert len(again.services) == 1


def test_a_file_that_borrows_an_id_of_ours_is_refused(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'id = "twitter"\ntitle = "-"\nversion = "1"\nabout = "-"\nkind = "-"\nsensitive = false\n'
        '[[endpoint]]\nrole = "web"\nname = "forum.test"\nsource = "here"\nstanding = "read"\n'
    )
    with pytest.raises(TargetError, match="there is a service twitter already"):
        chosen([str(file)])


def test_a_range_that_holds_every_address_moves_no_state_and_no_mechanism(tables):
    tables(Services())
    bare = judged("udp_dtls_dropped", "udp_call_in_all_innocence")
    everything = (
        'id = "everything"\ntitle = "-"\nversion = "7"\nabout = "-"\nkind = "-"\nsensitive = false\n'
        '[[endpoint]]\nrole = "web"\nname = "nobody.test"\nsource = "here"\nstanding = "read"\n'
    ) + "".join(
        f'[[range]]\nrole = "media"\nnetworks = ["0.0.0.0/0", "::/0"]\nport = "1-65535"\nprotocol = "{over}"\n'
        f'from = 1970-01-01\nsource = "here"\nstanding = "read"\n'
        for over in ("tcp", "udp")
    )
    tables(Services(services=(read(everything.encode(), own=True),)))
    full = judged("udp_dtls_dropped", "udp_call_in_all_innocence")
    assert {v.service for v in full.verdicts} == {"everything"}
    assert "blocked" in {v.state for v in full.verdicts}
    assert [replace(v, service=None, role=None) for v in full.verdicts] == [
        replace(v, service=None, role=None) for v in bare.verdicts
    ]

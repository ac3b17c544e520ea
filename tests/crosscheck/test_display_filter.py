"""-Y: what matches is judged with its whole conversation and the answers that led to it; numbers stay."""

from __future__ import annotations

import pytest

from captures.errors import TargetError
from fingerprint.__main__ import main
from fingerprint.report.document import as_dict
from fingerprint.verbs import analysing


def test_one_reset_selects_the_whole_conversation_and_its_lookups(forged_reset, judged):
    document = judged(forged_reset, display_filter="tcp.flags.reset == 1")
    blocked = {t["target"]: t for t in document["targets"]}["chatter.test"]
    assert blocked["state"] == "blocked"
    whole = {t["target"]: t for t in judged(forged_reset)["targets"]}["chatter.test"]
    told, all_told = (
        {n for m in t["mechanisms"] for e in m["evidence"] for n in e["packets"]} for t in (blocked, whole)
    )
    assert told <= all_told
    assert {29, 31} <= told


def test_the_report_says_that_not_all_was_looked_at(forged_reset, judged):
    document = judged(forged_reset, display_filter="dns")
    assert "display filter dns" in str(document["captures"][0]["quality"])
    assert "display filter" not in str(judged(forged_reset)["captures"][0]["quality"])


def test_what_is_out_of_sight_is_no_target(forged_reset, judged):
    only_control = judged(forged_reset, display_filter='tls.handshake.extensions_server_name == "weather.test"')
    states = {t["target"]: t["state"] for t in only_control["targets"]}
    assert states["weather.test"] == "ok"
    assert states.get("chatter.test") in {None, "insufficient"}


@pytest.mark.parametrize("wrong", ["nonsense.field == 3", "dns &&&", "ip.ttl == elephant", "(tcp"])
def test_a_filter_that_tshark_rejects_is_refused_in_its_words(wrong, forged_reset, registry):
    with pytest.raises(TargetError, match=r"tshark says: .+"):
        analysing.judged([str(forged_reset)], registry, jobs=1, display_filter=wrong)


def test_a_filter_that_selects_nothing_is_an_error_that_says_so(forged_reset, registry):
    report = analysing.judged([str(forged_reset)], registry, jobs=1, display_filter="tcp.port == 9")
    assert [e.error for e in report.errors] == ["capture.pcapng: no packet matches the display filter tcp.port == 9"]
    assert report.verdicts == ()


def test_several_files_are_selected_from_each_by_itself(forged_reset, registry):
    other = forged_reset.parents[1] / "dns_race" / "capture.pcapng"
    report = analysing.judged([str(forged_reset), str(other)], registry, jobs=2, display_filter="tcp.flags.reset == 1")
    document = as_dict(report, all_ok=True)
    assert "blocked" in {t["state"] for t in document["targets"]}
    assert len(document["captures"]) + len(document["errors"]) == 2


def test_the_command_exits_with_2_for_a_bad_filter(forged_reset, monkeypatch, capsys):
    for verb in (["analyse"], ["crosscheck"]):
        monkeypatch.setattr("sys.argv", ["fingerprint", *verb, str(forged_reset), "-Y", "dns &&&"])
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        assert code == 2
        assert "tshark says" in capsys.readouterr().err

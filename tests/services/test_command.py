"""``fingerprint services`` and ``--service`` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fingerprint import services


def fingerprint(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "fingerprint", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=120,
    )


@pytest.fixture
def sample(samples):
    return next(s for s in samples if s.parent.name == "dot_dropped_on_the_way")


def test_the_list_names_every_service_under_its_kind():
    done = fingerprint("services")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert all(any(line.startswith(f"  {s.id} ") for line in lines) for s in services.built_in().services)
    assert {"messenger", "social", "video", "conferencing", "news", "vpn", "resolver", "app store", "wiki"} <= {*lines}
    assert lines[-1] == "Next: fingerprint services twitter --at 2020-05-17"


def test_one_service_is_shown_with_roles_hosts_dates_controls_and_sources():
    said = fingerprint("services", "periscope").stdout
    for what in ("live  ", "*.video.pscp.tv", "to 2021-03-31", "controls  ", "example.com", "sources", "sha256"):
        assert what in said
    assert "Next: fingerprint run" not in said


def test_ranges_and_owners_are_shown_with_their_dates():
    zoom, periscope = (fingerprint("services", name).stdout for name in ("zoom", "periscope"))
    assert "  170.114.0.0/16" in zoom
    assert "8801-8810/udp, from 2026-04-17" in zoom
    assert "Owner: Twitter from 2015-04-01 to 2021-03-31" in periscope
    (told,) = json.loads(fingerprint("services", "periscope", "--json").stdout)["owners"]
    assert told["name"] == "Twitter"


def test_on_a_day_only_what_was_true_then_is_shown():
    then, now = (fingerprint("services", "twitter", "--at", day).stdout for day in ("2020-05-17", "2026-11-01"))
    assert "x.com  " not in then
    assert "twitter.com  " in then
    assert "x.com  " in now
    assert "*.video.pscp.tv" in now
    assert "*.video.pscp.tv" not in then


def test_a_service_outside_its_time_has_nothing_and_says_so():
    assert "Nothing is known of it at that time." in fingerprint("services", "skype", "--at", "2026-01-01").stdout


def test_as_json_every_endpoint_has_its_source():
    one = json.loads(fingerprint("services", "zoom", "--json").stdout)
    assert one["id"] == "zoom"
    assert {"role": "media", "ports": [8801, 8810], "protocol": "udp"}.items() <= next(
        e for e in one["endpoints"] if e["role"] == "media"
    ).items()
    assert all(e["source"] and e["standing"] for e in one["endpoints"])
    assert len(json.loads(fingerprint("services", "--json").stdout)) == len(services.built_in().services)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("services", "twiter"), "there is no service twiter; did you mean twitter?"),
        (("services", "karaoke-bar"), "fingerprint services lists them all"),
        (("services", "twitter", "--at", "yesterday"), "want a day such as 2020-05-17"),
        (("analyse", "x.pcapng", "--service", "zom"), "there is no service zom; did you mean zoom?"),
        (("analyse", "x.pcapng", "--service", "nowhere.toml"), "name a service or the file of one"),
        (("probe", "twiter", "--dry-run"), "there is no service twiter; did you mean twitter?"),
        (("probe", "skype", "--dry-run"), "nothing of skype is known to live today"),
    ],
)
def test_what_does_not_exist_is_a_usage_error_with_a_hint(words, says):
    done = fingerprint(*words)
    assert done.returncode == 2
    assert says in done.stderr


def test_hostile_text_in_a_file_of_ones_own_is_cleaned(tmp_path):
    (tmp_path / "evil.toml").write_text(
        'id = "evil"\ntitle = "\\u001b[31mred"\nversion = "1"\nabout = "\\u202eabout"\nkind = "[bold]"\n'
        "sensitive = false\n"
        '[[endpoint]]\nrole = "web"\nname = "evil.test"\nsource = "\\u001b[0m"\nstanding = "read"\n'
    )
    for words in (("services",), ("services", "evil")):
        said = fingerprint(*words, FINGERPRINT_SERVICES=str(tmp_path)).stdout
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert "[bold]" in said


def test_a_broken_file_of_ones_own_is_named(tmp_path):
    (tmp_path / "broken.toml").write_text('id = "broken"\n')
    done = fingerprint("services", FINGERPRINT_SERVICES=str(tmp_path))
    assert done.returncode == 0
    assert "broken.toml: " in done.stderr


def test_only_the_targets_of_a_service_are_reported(sample):
    every = json.loads(fingerprint("analyse", sample, "--json").stdout)
    one = json.loads(fingerprint("analyse", sample, "--service", "quad9", "--json").stdout)
    assert {t["service"] for t in one["targets"]} == {"quad9"}
    mine = [t for t in every["targets"] if t["service"] == "quad9"]
    assert one["targets"] == mine
    assert one["summary"]["targets"] == len(mine)


def test_a_service_that_is_not_in_the_capture_is_said_to_be_missing_not_to_be_fine(sample):
    done = fingerprint("analyse", sample, "--service", "zoom")
    assert done.returncode == 0
    assert "no name of zoom is in these captures" in done.stderr
    assert "nothing is blocked" not in done.stdout


def test_the_list_of_steps_is_made_of_the_services_names():
    done = fingerprint("probe", "quad9", "--resolver", "192.0.2.53", "--technique", "sni-filtering", "--dry-run")
    assert done.returncode == 0
    assert "dns.quad9.net" in done.stdout
    assert "example.com" in done.stdout

"""Published sets of signatures: the forms in which they are published, and what strange files leave behind.

The rows are invented; the columns and keys are those of the sets.
"""

from __future__ import annotations

import json
import tomllib

import pytest

from captures.errors import TargetError
from fingerprint.signatures import signatures
from fingerprint.signatures.importing import imported

OONI_HTTP = '''\
name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,exp_url,notes
ooni.zz_0,nat,,header.server,prefix,Guarded by NoticeWall,5,"ZZ,YY",ooni,,
ooni.zz_1,isp,cl.isp_zz_a,header.location,prefix,http://notice.zz-isp.example/stop,5,ZZ,ooni,https://x.example/1,
ooni.zz_2,inst,"cp.a,cp.b",body,contains,"content=""Access Denied - School of Examples""",5,ZZ,ooni,,"a school, not a state"
ooni.zz_3,prod,,body,regexp,blocked by .*NoticeWall [0-9]+,5,,censored planet,,
ooni.zz_4,isp,cl.isp_zz_optin_block,body,contains,Only for persons over 18 on ZZ Mobile,5,ZZ,ooni,,This is an opt-in filter.
ooni.zz_5,fp,,body,contains,This name is for sale at Examples Ltd,5,,ooni,,
ooni.zz_6,,,body,contains,http://www.zz-isp.example/,5,ZZ,ooni,,
'''
OONI_DNS = """\
name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,exp_url,notes
ooni.zz_9,nat,,dns,full,198.51.100.7,5,ZZ,ooni,,The national notice page
ooni.zz_10,isp,,dns,full,stop.zz-isp.example,5,ZZ,ooni,,Matches the CNAME
ooni.zz_11,isp,,dns,contains,notice.zz-,5,ZZ,ooni,,
"""
CENSORED_PLANET = r"""{"fingerprint":"a_prod_noticewall_1","pattern":"NoticeWall \\(TM\\) has refused this\\."}
{"fingerprint":"b_nat_zz_1","pattern":"prohibited .* by the Office of Examples"}

{"fingerprint":"c_isp_zz_1","pattern":"http://stop\\.zz-isp\\.example/list\\.html\\?"}
{"fingerprint":"c_isp_zz_2","pattern":"http://www\\.zz-isp\\.example/"}
{"fingerprint":"c_isp_zz_3","pattern":"Location: http://stop\\.zz-isp\\.example"}
{"fingerprint":"d_corp_zz","pattern":"The proxy of Examples Ltd refuses [this page|that page]"}
{"fingerprint":"e_unk_zz","pattern":"You shall not pass here"}
"""
CITIZEN_LAB_HTTP = [
    {
        "common_name": "ZZ ISP Block", "confidence_no_fp": 10, "exp_url": "", "expected_countries": ["ZZ"],
        "location_found": "header", "name": "isp_zz_forward", "notes": "", "pattern": "stop.zz-isp.example/deny",
        "scope": "isp", "source": ["https://zz-isp.example/"],
    },
    {
        "common_name": "Unpaid bills", "confidence_no_fp": 10, "exp_url": "", "expected_countries": [],
        "location_found": "body", "name": "injb_zz_paybill", "notes": "benign", "pattern": "Please pay your bill, ZZ",
        "scope": "injb", "source": [],
    },
    {
        "common_name": None, "confidence_no_fp": 10, "exp_url": None, "expected_countries": None,
        "location_found": "header", "name": "isp_zz_server", "notes": None, "pattern": "Server: ZZ-Stopper/",
        "scope": "isp", "source": None,
    },
]  # fmt: skip
CITIZEN_LAB_DNS = [
    {
        "confidence_no_fp": 10, "exp_url": "", "expected_countries": ["ZZ"], "name": "dns_isp_zz", "notes": "",
        "response": "198.51.100.9", "scope": "isp", "source": [""],
    },
    {
        "confidence_no_fp": 10, "exp_url": "", "expected_countries": [], "name": "dns_br_allzero", "notes": "",
        "response": "0.0.0.0", "scope": "br", "source": [],
    },
]  # fmt: skip


def made(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = imported(file)
    rows = tomllib.loads(told.toml)["row"]
    assert len(rows) == told.rows
    return {row["id"]: row for row in rows}, told.complaints


def test_ooni_says_where_how_and_whose(tmp_path):
    rows, complaints = made(tmp_path, "fingerprints_http.csv", OONI_HTTP)
    assert not complaints
    assert {k: (r["where"], r["match"], r["scope"]) for k, r in rows.items()} == {
        "ooni.zz_0": ("header.server", "prefix", "nat"),
        "ooni.zz_1": ("header.location", "prefix", "isp"),
        "ooni.zz_2": ("body", "contains", "inst"),
        "ooni.zz_3": ("body", "regexp", "prod"),
        "ooni.zz_4": ("body", "contains", "inst"),
        "ooni.zz_5": ("body", "contains", "fp"),
        "ooni.zz_6": ("body", "contains", "vbw"),
    }
    assert rows["ooni.zz_0"]["countries"] == ["ZZ", "YY"]
    assert rows["ooni.zz_2"]["pattern"] == 'content="Access Denied - School of Examples"'


def test_ooni_knows_addresses_and_names_of_answers(tmp_path):
    rows, _ = made(tmp_path, "fingerprints_dns.csv", OONI_DNS)
    known = signatures(("set", row) for row in rows.values())
    assert known.address("198.51.100.7").scope == "nat"
    assert known.address("stop.zz-isp.example").id == "ooni.zz_10"
    assert [s.id for s, _ in known.names] == ["ooni.zz_11"]


def test_censored_planet_means_text_unless_it_says_anything_goes(tmp_path):
    rows, complaints = made(tmp_path, "blockpage_signatures.json", CENSORED_PLANET)
    assert not complaints
    assert rows["a_prod_noticewall_1"] | {"source": ""} == {
        "id": "a_prod_noticewall_1", "where": "body", "match": "contains", "scope": "prod", "source": "",
        "pattern": "NoticeWall (TM) has refused this.",
    }  # fmt: skip
    assert (rows["b_nat_zz_1"]["match"], rows["b_nat_zz_1"]["scope"]) == ("regexp", "nat")
    assert rows["c_isp_zz_1"]["pattern"] == "http://stop.zz-isp.example/list.html?"
    assert rows["c_isp_zz_1-location"]["where"] == "header.location"
    assert rows["c_isp_zz_3"] | {"source": ""} == {
        "id": "c_isp_zz_3", "where": "header.location", "match": "contains", "scope": "isp", "source": "",
        "pattern": "http://stop.zz-isp.example",
    }  # fmt: skip
    assert rows["d_corp_zz"]["match"] == "contains", "brackets and bars of a page are no expression"
    assert rows["d_corp_zz"]["scope"] == "inst"
    assert rows["e_unk_zz"]["scope"] == "vbw"


def test_the_home_page_of_a_provider_is_named_by_its_own_pages_too(tmp_path):
    rows, _ = made(tmp_path, "blockpage_signatures.json", CENSORED_PLANET)
    assert rows["c_isp_zz_2"]["scope"] == "vbw"
    assert rows["c_isp_zz_2-location"]["scope"] == "isp"
    assert rows["c_isp_zz_1"]["scope"] == "isp"


def test_known_false_positives_take_back_what_others_say(tmp_path):
    rows, _ = made(tmp_path, "false_positive_signatures.json", '{"fingerprint":"x_404","pattern":"404 Not Found"}\n')
    assert rows["x_404"]["scope"] == "fp"
    other = {"id": "n", "where": "body", "match": "contains", "pattern": "not be shown", "scope": "nat"}
    known = signatures(("set", row) for row in (*rows.values(), other))
    assert known.page({}, "", "it may not be shown")
    assert not known.page({}, "404 Not Found", "404 Not Found, so it may not be shown")


def test_citizen_lab_as_json(tmp_path):
    rows, complaints = made(tmp_path, "http.json", json.dumps(CITIZEN_LAB_HTTP))
    assert not complaints
    assert {k: (r["where"], r["match"], r["scope"], r["pattern"]) for k, r in rows.items()} == {
        "isp_zz_forward": ("header.location", "contains", "isp", "stop.zz-isp.example/deny"),
        "injb_zz_paybill": ("body", "contains", "fp", "Please pay your bill, ZZ"),
        "isp_zz_server": ("header.server", "prefix", "isp", "ZZ-Stopper/"),
    }
    assert rows["isp_zz_forward"]["countries"] == ["ZZ"]
    rows, _ = made(tmp_path, "dns.json", json.dumps(CITIZEN_LAB_DNS))
    assert rows["dns_isp_zz"]["where"] == "dns"
    assert rows["dns_br_allzero"]["scope"] == "vbw", "many say nothing so"


def test_citizen_lab_as_csv(tmp_path):
    http = (
        "name,common_name,pattern,location_found,exp_url,confidence_no_fp,source,scope,expected_countries,notes\n"
        "isp_zz_block,ZZ,Stopped by ZZ Telecom,body,,10,['https://zz.example/'],isp,['ZZ'],\n"
    )
    rows, _ = made(tmp_path, "http.csv", http)
    assert rows["isp_zz_block"]["countries"] == ["ZZ"]
    dns = (
        "name,response,exp_url,confidence_no_fp,source,scope,expected_countries,notes\nd,198.51.100.3,,10,[],nat,[],\n"
    )
    rows, _ = made(tmp_path, "dns.csv", dns)
    assert (rows["d"]["where"], rows["d"]["match"], rows["d"]["pattern"]) == ("dns", "full", "198.51.100.3")


def test_a_spreadsheets_csv_is_read_as_it_is_saved(tmp_path):
    for encoded in (OONI_DNS.encode("utf-16"), OONI_DNS.encode("utf-8-sig"), OONI_DNS.replace("\n", "\r\n").encode()):
        assert len(made(tmp_path, "a.csv", encoded)[0]) == 3


def test_the_same_file_makes_the_same_table(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(OONI_HTTP)
    one, other = imported(file), imported(file)
    assert one == other
    assert tomllib.loads(one.toml)["version"].startswith("sha256:")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"broken (.*", "expression is broken"),
        (r"a.*{1000}{1000}", "expression is broken"),
        (r"(.*)(?=behind)", "expression is broken"),
        (".*", "any page fits it"),
        ("<.*>", "any page fits it"),
        ("the", "shorter than"),
        ("", "no pattern"),
        ("a" * 5000, "5000 characters"),
        ("half \ud800 a character", "half a character"),
    ],
)
def test_a_pattern_that_cannot_be_used_costs_itself(tmp_path, pattern, says):
    lines = [
        json.dumps({"fingerprint": "c_isp_bad", "pattern": pattern}),
        '{"fingerprint":"c_isp_good","pattern":"This one is well"}',
    ]
    rows, complaints = made(tmp_path, "set.json", "\n".join(lines))
    assert list(rows) == ["c_isp_good"]
    assert len(complaints) == 1
    assert complaints[0].startswith("c_isp_bad: ")
    assert says in complaints[0]
    assert complaints[0].endswith("it is left out")


def test_two_rows_of_one_name_both_count(tmp_path):
    lines = (
        '{"fingerprint":"c_isp_zz","pattern":"Stopped at the first gate"}\n'
        '{"fingerprint":"c_isp_zz","pattern":"Stopped at the second gate"}\n'
    )
    rows, complaints = made(tmp_path, "set.json", lines)
    assert len(rows) == 2
    assert not complaints
    assert not signatures(("set", row) for row in rows.values()).complaints


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "neither JSON nor CSV"),
        (b"just words\n", "neither JSON nor CSV"),
        (b"a,b,c\n1,2,3\n", "neither JSON nor CSV"),
        (b"name,pattern\n", "holds no signature"),
        (b"[]", "holds no signature"),
        (b'{"fingerprint":"a","pattern":"well and good"}\n{"finger', "line 2 is no JSON"),
        (b"[" * 100_000, "nested so deep"),
        (b'{"a":' * 100_000, "nested so deep"),
        (b"name,pattern\na," + b"x" * 200_000 + b"\n", "is no CSV"),
        (bytes(range(256)) * 40, "neither JSON nor CSV"),
    ],
)
def test_a_file_that_is_no_set_is_told_in_one_sentence(tmp_path, content, says):
    file = tmp_path / "set.json"
    file.write_bytes(content)
    with pytest.raises(TargetError, match=says) as error:
        imported(file)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("set.json: ")


def test_a_folder_or_a_missing_file_is_told(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.csv"):
        with pytest.raises(TargetError, match="name a file of signatures"):
            imported(path)


def test_strange_characters_survive_or_cost_themselves(tmp_path):
    patterns = ["доступ ограничен к сайту", "tab\tand\nline \x00 and \x7f end", "\u202eright to left", "emoji 🚫 stop"]
    lines = "\n".join(json.dumps({"fingerprint": f"c_isp_{i}", "pattern": p}) for i, p in enumerate(patterns))
    rows, _ = made(tmp_path, "set.json", lines)
    assert [r["pattern"] for r in rows.values()] == patterns

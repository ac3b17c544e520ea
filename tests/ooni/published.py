"""Facts of measurements that OONI and its users made public, written anew: what was asked, where, and what came of it.

Bodies, header fields, certificates and clients are left out; what each stands for is said with it. The sources are the
tests of ooni/backend (``fastpath``), of ooni/probe-cli (``minipipeline``) and of ooni/explorer, and ooni/spec.
"""

from __future__ import annotations

from tests.ooni.measurements import connect, handshake, measurement, query, request

LOST = "generic_timeout_error"


def page(test_version, input_, at, asn, country, network, control, *, resolver="AS0", **keys):
    """A web_connectivity measurement; ``control`` is (addresses, failure of the name, failure of the fetch, status)."""
    addresses, unresolved, unfetched, status = control
    told = {
        "tcp_connect": {},
        "http_request": {"body_length": -1, "failure": unfetched, "headers": {}, "status_code": status},
        "dns": {"failure": unresolved, "addrs": addresses},
    }
    return measurement(
        "web_connectivity",
        {"control": told, "control_failure": None, **keys},
        at,
        input=input_,
        probe_asn=asn,
        probe_cc=country,
        probe_network_name=network,
        resolver_asn=resolver,
        test_version=test_version,
        report_id=f"{at} {asn}",
    )


def without_engine(name, address):
    """As ooniprobe 2 wrote a lookup: no engine, no resolver, no time."""
    answers = [{"ipv4": address, "answer_type": "A"}]
    return {"query_type": "A", "hostname": name, "answers": answers, "failure": None, "resolver_port": None}


# fastpath, web_connectivity_ir_fp: the address of Iran's notice page; the test helper was sent there, too.
NOTICE_PAGE_IR = page(
    "0.4.1", "https://www.facebook.com/", "2022-08-15 19:01:30", "AS197207", "IR", "MCCI",
    (["157.240.192.35", "2a03:2880:f137:182:face:b00c:0:25de"], None, None, 200), resolver="AS3356",
    queries=[query("www.facebook.com", ("10.10.34.36",), engine="system")],
    tcp_connect=[connect("10.10.34.36", failure=LOST)], tls_handshakes=None,
    requests=[request("https://www.facebook.com/", failure=LOST)], blocking="dns", accessible=False,
)  # fmt: skip
# fastpath, bug_352: the same two years before, by another client: an alias first, `blocked` null, no `tls_handshakes`.
NOTICE_PAGE_BEHIND_AN_ALIAS = page(
    "0.0.1", "https://fa.wikipedia.org", "2020-03-02 13:08:54", "AS197207", "IR", None,
    (["dyna.wikimedia.org", "91.198.174.192"], None, None, 200),
    queries=[
        {
            "answers": [
                {"answer_type": "CNAME", "hostname": "fa.wikipedia.org", "ttl": None},
                {"answer_type": "A", "ipv4": "10.10.34.36", "ttl": None},
            ],
            "engine": "system", "failure": None, "hostname": "fa.wikipedia.org", "query_type": "A",
        }
    ],
    tcp_connect=[{"ip": "10.10.34.36", "port": 443, "status": {"blocked": None, "failure": LOST, "success": False}}],
    requests=[request("https://fa.wikipedia.org/", failure="connect_error")], blocking="dns", accessible=False,
)  # fmt: skip
# fastpath, 20250527233111.802678_ID_webconnectivity_5a37ec909dbf14e3: sent to the ministry's page in the clear, while
# status and names of header fields are alike, so that the probe called it accessible.
SENT_TO_A_NOTICE_PAGE = page(
    "0.4.3", "http://archive.org", "2025-05-27 23:31:08", "AS23693", "ID", "Telkomsel",
    (["207.241.224.2"], None, None, 200), resolver="AS1288",
    queries=[query("archive.org", ("207.241.224.2",), engine="system")], tcp_connect=[connect("207.241.224.2", 80)],
    tls_handshakes=None,
    requests=[
        request("http://lamanlabuh.aduankonten.id/", body="<title>Trustpositif</title>"),
        request("http://archive.org", code=302, headers=[("Location", "http://lamanlabuh.aduankonten.id/")], body=""),
    ],
    body_length_match=False, status_code_match=True, headers_match=True, title_match=False, blocking=False,
    accessible=True,
)  # fmt: skip
# fastpath, requests_none: no address here nor there, where an alias was all that came; the probe called it blocking.
NAME_THAT_NOBODY_HAS = page(
    "0.1.0", "http://www.wikispaces.com/", "2021-01-20 19:57:49", "AS6855", "SK", "Slovak Telecom",
    (["wikispaces.com"], None, "dns_lookup_error", -1), resolver="AS13335",
    queries=[
        query("www.wikispaces.com", (), "dns_nxdomain_error", "system", query_type=kind) for kind in ("A", "AAAA")
    ],
    requests=None, tcp_connect=None, blocking="dns", accessible=False,
)  # fmt: skip
# fastpath, web_connectivity_odd_hdr: a name that does not exist, for which a resolver gives its search page; the
# address of the redirect is base64 and ends in a zero byte. The probe called it blocking.
SEARCH_PAGE_OF_A_RESOLVER = page(
    "0.0.1", "http://www.efindlove.com", "2017-05-16 13:11:40", "AS4134", "CN", None,
    ([], "dns_name_error", "dns_lookup_error", -1),
    queries=[without_engine("www.efindlove.com", "61.183.1.186")], tcp_connect=[connect("61.183.1.186", 80)],
    requests=[
        {
            "failure": "http_invalid_redirect_url",
            "request": {"url": "http://www.efindlove.com/", "method": "GET", "tor": {"is_tor": False}},
            "response": {
                "body": "", "code": 302, "response_line": "HTTP/1.1 302 Found",
                "headers": {"Location": {"data": "aHR0cDovL3NlYXJjaC4xMTRzby5jbi8A", "format": "base64"}},
            },
        }
    ],
    blocking="dns", accessible=False,
)  # fmt: skip
# fastpath, web_connectivity_null2: a certificate that has run out, which the helper did not believe either.
CERTIFICATE_RUN_OUT = page(
    "0.4.1", "https://yooz.ir/", "2022-08-15 19:04:21", "AS197207", "IR", "MCCI",
    (["195.146.37.25"], None, "unknown_error", -1), resolver="AS48159",
    queries=[query("yooz.ir", ("195.146.37.25",), engine="system")], tcp_connect=[connect("195.146.37.25")],
    tls_handshakes=[handshake("yooz.ir", "195.146.37.25:443", "ssl_invalid_certificate")],
    requests=[request("https://yooz.ir/", failure="ssl_invalid_certificate")], blocking=None, accessible=None,
)  # fmt: skip
# fastpath, web_connectivity_no_body: read from a database that had dropped every null; the failure is OpenSSL's words.
NULLS_DROPPED = page(
    "0.0.1", "http://www.nmrc.org/", "2019-03-30 11:56:50", "AS30722", "IT", None,
    (["69.55.227.29"], None, "unknown_error", -1),
    queries=[
        {
            "engine": "system", "query_type": "A", "hostname": "www.nmrc.org",
            "answers": [
                {"hostname": "www.nmrc.org", "answer_type": "CNAME"}, {"ipv4": "69.55.227.29", "answer_type": "A"},
            ],
        }
    ],
    tcp_connect=[{"status": {"success": True, "blocked": False}, "ip": "69.55.227.29", "port": 80}],
    requests=[
        {
            "failure": "ssl_error: error:14007086:SSL routines:CONNECT_CR_CERT:certificate verify failed",
            "request": {"url": "https://www.nmrc.org/", "method": "GET", "tor": {"is_tor": False}},
            "response": {"headers": {}},
        }
    ],
    blocking=False, accessible=True,
)  # fmt: skip
# explorer, 20201029043459.005820_RU_webconnectivity_604f1cb2579d144d: a response that is null, three times.
NO_RESPONSE = page(
    "0.1.0", "http://www.pokerroom.com/", "2020-10-29 04:59:31", "AS51604", "RU", None,
    (["195.72.134.72"], None, "unknown_error", -1),
    queries=[without_engine("www.pokerroom.com", "195.72.134.72")], tcp_connect=[connect("195.72.134.72", 80)],
    requests=[
        {"failure": "response_never_received", "request": {"url": "http://www.pokerroom.com/"}, "response": None}
    ] * 3,
    blocking=False, accessible=False,
)  # fmt: skip
# fastpath, web_connectivity_null: the test helper was not reached; what it did not say stands as zeros and nulls.
NO_HELPER = measurement(
    "web_connectivity",
    {
        "queries": [query("ajax.aspnetcdn.com", ("152.199.19.160",), engine="system")], "tls_handshakes": None,
        "control_failure": "connection_refused",
        "control": {
            "tcp_connect": None, "dns": {"failure": None, "addrs": None},
            "http_request": {"body_length": 0, "failure": None, "title": "", "headers": None, "status_code": 0},
        },
        "tcp_connect": [connect("152.199.19.160", failure=LOST)],
        "requests": [request("https://ajax.aspnetcdn.com/a.js", failure=LOST)], "blocking": None, "accessible": None,
    },
    "2022-05-24 01:20:29", input="https://ajax.aspnetcdn.com/a.js", probe_asn="AS20661", probe_cc="TM",
    probe_network_name="Turkmentelecom", resolver_asn="AS13335",
)  # fmt: skip
# minipipeline, manual/8844: an address for a name, so that nothing is looked up; the answer's body is no text.
ADDRESS_FOR_A_NAME = measurement(
    "web_connectivity",
    {
        "queries": [], "tcp_connect": [connect("8.8.4.4")], "tls_handshakes": [handshake("8.8.4.4", "8.8.4.4:443")],
        "requests": [
            request("https://8.8.4.4/dns-query?dns=q80B", body={"data": "q82BgAABAAE=", "format": "base64"})
            | {"network": "tcp", "address": "8.8.4.4:443", "alpn": "h2"}
        ],
        "control": {
            "tcp_connect": {"8.8.4.4:443": {"status": True, "failure": None}}, "quic_handshake": {},
            "tls_handshake": {"8.8.4.4:443": {"server_name": "8.8.4.4", "status": True, "failure": None}},
            "http_request": {"body_length": 49, "failure": None, "title": "", "headers": {}, "status_code": 200},
            "http3_request": None, "dns": {"failure": None, "addrs": []},
            "ip_info": {"8.8.4.4": {"asn": 15169, "flags": 9}},
        },
        "control_failure": None, "x_dns_flags": 0, "x_blocking_flags": 32, "x_null_null_flags": 0, "blocking": None,
        "accessible": None, "status_code_match": None,
    },
    "2024-01-24 14:12:13", input="https://8.8.4.4/dns-query?dns=q80B", probe_asn="AS30722", probe_cc="IT",
    probe_network_name="Vodafone Italia", resolver_asn="AS30722", test_version="0.5.28",
)  # fmt: skip


def encrypted(address, failure=None):
    """A visit of ts-028 to one address of a resolver. Its handshakes name no address."""
    where = f"[{address}]:853" if ":" in address else f"{address}:853"
    found = () if failure else ("93.184.216.34",)
    return {
        "queries": [query("example.org", found, failure, "dot", resolver_address=where)],
        "tcp_connect": [connect(address, 853, failure)] * 2,
        "tls_handshakes": None if failure else [handshake("dns.google", None)] * 2,
        "requests": None,
    }  # fmt: skip


# spec, ts-028: two addresses answer, to the two of IPv6 there is no way, in the words of the system.
NO_WAY_TO_IPV6 = measurement(
    "dnscheck",
    {
        "domain": "example.org",
        "bootstrap": {"queries": [query("dns.google", ("8.8.8.8", "8.8.4.4"), engine="system")], "requests": None},
        "lookups": {
            "dot://8.8.4.4:853": encrypted("8.8.4.4"),
            "dot://[2001:4860:4860::8844]:853": encrypted(
                "2001:4860:4860::8844", "unknown_failure: dial tcp [scrubbed]: connect: no route to host"
            ),
        },
    },
    "2020-12-02 12:36:37", input="dot://dns.google", probe_asn="AS30722", probe_cc="IT",
    probe_network_name="Vodafone Italia",
)  # fmt: skip


def spain(step, at, **keys):
    """A step of the same study in urlgetter, with its options."""
    top = {"probe_asn": "AS12430", "probe_cc": "ES", "probe_network_name": "Vodafone Spain"}
    return measurement("urlgetter", {"queries": [], **keys}, at, **top, **step)


# A report of 2020 on www.womenonweb.org at Vodafone Spain (ooni.org): the name spoken at a stranger, whose certificate
# is the stranger's; at its own address, where a box shows a certificate of its own; and there with any believed.
AT_A_STRANGER = spain(
    {"input": "tlshandshake://93.184.216.34:443", "options": ["TLSServerName=www.womenonweb.org"]},
    "2020-05-04 13:53:40", failure="ssl_invalid_hostname", tcp_connect=[connect("93.184.216.34")],
    tls_handshakes=[{"failure": "ssl_invalid_hostname", "no_tls_verify": False, "t": 0.3}],
)  # fmt: skip
A_BOXS_CERTIFICATE = spain(
    {"input": "https://www.womenonweb.org/", "options": ["DNSCache=www.womenonweb.org 67.213.76.19"]},
    "2020-05-04 13:53:45", failure="ssl_unknown_authority", tcp_connect=[connect("67.213.76.19")],
    tls_handshakes=[{"failure": "ssl_unknown_authority", "no_tls_verify": False, "t": 0.1}],
    requests=[request("https://www.womenonweb.org/", failure="ssl_unknown_authority")],
)  # fmt: skip
ANY_CERTIFICATE_BELIEVED = spain(
    {"input": "https://www.womenonweb.org/", "options": ["NoTLSVerify=true"]},
    "2020-05-04 13:53:50", failure=None, tcp_connect=[connect("67.213.76.19")],
    tls_handshakes=[{"failure": None, "no_tls_verify": True, "t": 0.2}],
    requests=[request("https://www.womenonweb.org/", code=502, body="Por causas ajenas a Vodafone")],
)  # fmt: skip


def trace(address, control, target, *, options, key="iterative_trace", **more):
    """A tlsmiddlebox measurement; each of the names comes with its handshakes step by step."""

    def steps(name, met):
        return {"server_name": name, "iterations": [{"ttl": n, "handshake": h} for n, h in enumerate(met, 1)]}

    keys = {
        "queries": [query(more.pop("host"), (address,), engine="doh")],
        "tcp_connect": [connect("2606:2800:220:1::1946", failure="network_unreachable"), connect(address)],
        key: [
            {"address": "[2606:2800:220:1::1946]:443", "control_trace": None, "target_trace": None},
            {"address": f"{address}:443", "control_trace": steps(*control), "target_trace": steps(*target)},
        ],
    }
    return measurement("tlsmiddlebox", keys, options=options, **more)


def step(name, failure, error=None, *, address="93.184.216.34:443"):
    """One handshake of a trace."""
    entry = handshake(name, address, failure, no_tls_verify=True, network="tls")
    return entry | ({"so_error": error} if error else {})


INDIA = {
    "probe_asn": "AS24560", "probe_cc": "IN", "probe_network_name": "Bharti Airtel", "input": "tlstrace://1337x.be",
    "host": "example.com", "options": ["TestHelper=tlshandshake://example.com"],
}  # fmt: skip


def india(error, **more):
    """spec, ts-037: the target is reset by packets of 4 hops, the control answered with 12."""
    return trace(
        "93.184.216.34",
        ("example.com", [step("example.com", LOST, error)] * 11 + [step("example.com", None)]),
        ("1337x.be", [step("1337x.be", LOST, error)] * 3 + [step("1337x.be", "connection_reset")]),
        **INDIA | more,
    )


def july(at="2022-07-22 08:19:26", **more):
    """Of July 2022: silence alone, another key, and the target among the options."""
    return india(None, at=at, key="trace", **{"input": "https://example.com", "options": ["SNI=1337x.be"]} | more)


# September 2022: with what the routers reported.
TRACE_WITH_REPORTS = india("host_unreachable", at="2022-09-01 16:37:55")
# 2026: the report is the failure itself, and no step names its address. The trace ended before either was answered.
_DEAD = [step(name, "host_unreachable", address="") for name in ("example.com", "github.com")]
_LOST = [step(name, LOST, address="") for name in ("example.com", "github.com")]
TRACE_TOO_SHORT = trace(
    "140.82.112.3",
    ("example.com", [_DEAD[0]] * 10 + [_LOST[0]] * 2), ("github.com", [_DEAD[1]] * 10 + [_LOST[1]] * 2),
    at="2026-10-05 12:45:57", input="tlstrace://github.com", host="github.com", options=["MaxTTL=12"],
    probe_asn="AS16276", probe_cc="CA", probe_network_name="OVH",
)  # fmt: skip


def reset_three_engines(at="2024-02-12 20:33:47"):
    """minipipeline, tlsBlockingConnectionResetWithConsistentDNS: 0.5 asks three ways, and asks for no page after it."""
    given = {"addresses": ("93.184.216.34",)}
    none = {"addresses": (), "failure": "dns_no_answer", "query_type": "AAAA"}
    ways = [("doh", "https://dns.google/dns-query"), ("getaddrinfo", ""), ("udp", "9.9.9.9:53")]
    asked = [query("www.example.com", engine=e, resolver_address=r, **given) for e, r in ways]
    asked += [query("www.example.com", engine=e, resolver_address=r, **none) for e, r in ways if e != "getaddrinfo"]
    made = page(
        "0.5.28", "https://www.example.com/", at, "AS137", "IT", "GARR", (["93.184.216.34"], None, None, 200),
        resolver="AS137", queries=asked, tcp_connect=[connect("93.184.216.34")], requests=[],
        tls_handshakes=[handshake("www.example.com", "93.184.216.34:443", "connection_reset")],
        blocking="http-failure", accessible=False, x_blocking_flags=4, x_doh={"queries": None},
    )  # fmt: skip
    reached = {"93.184.216.34:443": {"status": True, "failure": None}}
    made["test_keys"]["control"] |= {"tcp_connect": reached, "tls_handshake": reached}
    return made

"""Measurements written by hand after OONI's specification: names, networks and addresses are invented."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta

# Public addresses that nobody in the tests visits; those of RFC 5737 would be bogons.
SITE, ELSEWHERE, FRONT, BOGON = "20.30.40.50", "140.1.2.3", "20.99.1.1", "10.10.10.10"
RESOLVER_ASN = "AS64500"


def measurement(test, keys, at="2024-03-01 12:00:00", **top):
    """The top of a measurement (df-000) around its test keys."""
    return {
        "annotations": {"platform": "linux"},
        "data_format_version": "0.2.0",
        "input": "https://news.example/",
        "measurement_start_time": at,
        "probe_asn": "AS64500",
        "probe_cc": "PK",
        "probe_ip": "127.0.0.1",
        "probe_network_name": "Ravi Net",
        "report_id": "run-1",
        "resolver_asn": RESOLVER_ASN,
        "software_name": "miniooni",
        "software_version": "3.21.0",
        "test_keys": keys,
        "test_name": test,
        "test_runtime": 4.0,
        "test_start_time": at,
        "test_version": "0.5.0",
        **top,
    }


def later(hours, at="2024-03-01 12:00:00"):
    """A time so many hours after another."""
    return str(datetime.fromisoformat(at) + timedelta(hours=hours))


def query(name="news.example", addresses=(SITE,), failure=None, engine="getaddrinfo", **more):
    """An entry of df-002."""
    answers = [
        {"answer_type": "AAAA" if ":" in a else "A", "ipv6" if ":" in a else "ipv4": a, "ttl": None} for a in addresses
    ]
    return {
        "answers": answers or None,
        "engine": engine,
        "failure": failure,
        "hostname": name,
        "query_type": "ANY",
        "resolver_address": "",
        "t": 0.1,
        **more,
    }


def connect(ip=SITE, port=443, failure=None):
    """An entry of df-005."""
    return {"ip": ip, "port": port, "status": {"failure": failure, "success": failure is None}, "t": 0.2}


def handshake(sni="news.example", address=f"{SITE}:443", failure=None, **more):
    """An entry of df-006."""
    return {
        "address": address,
        "failure": failure,
        "network": "tcp",
        "no_tls_verify": False,
        "peer_certificates": [],
        "server_name": sni,
        "t0": 0.2,
        "t": 0.4,
        **more,
    }


def request(url="https://news.example/", failure=None, code=200, body="<title>News</title>", headers=(), **more):
    """An entry of df-001."""
    response = {"body": body, "code": code, "headers_list": [list(h) for h in headers], "headers": dict(headers)}
    if failure:
        response = {"body": "", "code": 0, "headers_list": None, "headers": None}
    asked = {"url": url, "method": "GET", "headers": {}, "tor": {"is_tor": False}}
    return {"failure": failure, "request": asked, "response": response, **more}


def control(addresses=(SITE,), endpoint=f"{SITE}:443", *, up=True, status=200, greeted=True, **more):
    """What the test helper returns (ts-017); before v0.5 without ``tls_handshake``."""
    failure = None if up else "generic_timeout_error"
    told = {
        "tcp_connect": {endpoint: {"status": up, "failure": failure}},
        "http_request": {"body_length": 1256, "failure": failure, "headers": {}, "status_code": status if up else -1},
        "dns": {"failure": None, "addrs": list(addresses)},
    }
    if greeted:
        told["tls_handshake"] = {endpoint: {"status": up, "failure": failure, "server_name": "news.example"}}
    return {**told, **more}


def web(at="2024-03-01 12:00:00", *, helper=None, top=None, **keys):
    """A web_connectivity measurement of https://news.example/ that worked, but for what is given."""
    working = {
        "queries": [query()],
        "tcp_connect": [connect()],
        "tls_handshakes": [handshake()],
        "requests": [request()],
        "control_failure": None,
        "control": control() if helper is None else helper,
        "network_events": [],
        "accessible": None,
        "blocking": None,
    }
    return measurement("web_connectivity", working | keys, at, **(top or {}))


def reset_after_hello(at="2024-03-01 12:00:00", **more):
    """The handshake of https://news.example/ is reset."""
    keys = {
        "tls_handshakes": [handshake(failure="connection_reset")],
        "requests": [request(failure="connection_reset")],
        "accessible": False,
        "blocking": "http-failure",
    }
    return web(at, **(keys | more))


def other_site(at="2024-03-01 12:05:00", name="cooking.example", address=SITE, **top):
    """Another name, which lives at the same address, works."""
    return web(
        at,
        helper=control((address,), f"{address}:443"),
        queries=[query(name, (address,))],
        tcp_connect=[connect(address)],
        tls_handshakes=[handshake(name, f"{address}:443")],
        requests=[request(f"https://{name}/")],
        top={"input": f"https://{name}/", **top},
    )


def plain(at="2024-03-01 12:00:00", *, helper=None, **keys):
    """A web_connectivity measurement of http://news.example/ whose page is like the helper's, but for what is given."""
    working = {
        "tcp_connect": [connect(port=80)],
        "tls_handshakes": [],
        "requests": [request("http://news.example/")],
        "status_code_match": True,
        "body_length_match": True,
        "headers_match": True,
        "title_match": True,
    }
    helper = control(endpoint=f"{SITE}:80", greeted=False) if helper is None else helper
    return web(at, helper=helper, top={"input": "http://news.example/"}, **(working | keys))


def traced(
    target="news.example", host="front.example", *, reset_at=4, passes_at=8, dies=True, at="2024-03-01 12:00:00"
):
    """A tlsmiddlebox measurement: the control passes at one number of hops, the target is reset at another."""

    def step(sni, ttl, failure):
        entry = handshake(sni, f"{FRONT}:443", failure, no_tls_verify=True, network="tls")
        if failure == "generic_timeout_error" and dies:
            entry["so_error"] = "host_unreachable"
        return {"ttl": ttl, "handshake": entry}

    silent = "generic_timeout_error"
    mine = [step(target, t, silent) for t in range(1, reset_at or passes_at)]
    mine.append(step(target, reset_at or passes_at, "connection_reset" if reset_at else None))
    others = [step(host, t, silent) for t in range(1, passes_at)] + [step(host, passes_at, None)]
    trace = {
        "address": f"{FRONT}:443",
        "control_trace": {"server_name": host, "iterations": others},
        "target_trace": {"server_name": target, "iterations": mine},
    }
    keys = {
        "queries": [query(host, (FRONT,), engine="doh")],
        "tcp_connect": [connect(FRONT)],
        "iterative_trace": [trace],
    }
    return measurement("tlsmiddlebox", keys, at, input=f"tlstrace://{target}", test_version="0.1.0")


def written(path, *measurements):
    """A file of JSON lines; compressed if its name says so."""
    lines = "".join((m if isinstance(m, str) else json.dumps(m)) + "\n" for m in measurements).encode()
    path.write_bytes(gzip.compress(lines, mtime=0) if path.suffix == ".gz" else lines)
    return path


def hours(make, count, beside=None):
    """The same measurement hour after hour, with another beside each."""
    return [m for h in range(count) for m in (make(later(h)), *([beside(later(h + 0.05))] if beside else []))]


# A name that the line's resolver denies; pages that are unlike the helper's, and one that names itself.
DENIED = {
    "queries": [query(addresses=(), failure="dns_nxdomain_error")],
    "tcp_connect": [],
    "tls_handshakes": [],
    "requests": [request(failure="dns_nxdomain_error")],
}
OTHER_PAGE = {
    "status_code_match": False,
    "body_length_match": False,
    "headers_match": False,
    "title_match": False,
}
BLOCK_PAGE = OTHER_PAGE | {
    "requests": [request("http://news.example/", code=403, body="<iframe src='http://10.10.34.34?type=Invalid'>")],
}

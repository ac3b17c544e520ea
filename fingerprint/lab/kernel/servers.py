"""The far ends, all of them real programs: nginx for the web, dnsmasq for names, aioquic for HTTP/3.

Everything they write lies in the laboratory's own folder in memory, which goes when its namespaces go.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from captures.errors import PrivilegeError
from fingerprint.lab import certificates, world
from fingerprint.lab import services as spoken
from fingerprint.lab.kernel.plan import FAR, PROVIDER
from fingerprint.lab.world import Servers

# The site of hosts that are none of the laboratory's names.
_NOBODY = "nobody"
# Where nginx listens when something else stands before it.
BEHIND_PORT = 8443
_MORE_TLS_PORTS = (spoken.ENCRYPTED_DNS_PORT, spoken.TLS_PORT)
# Where programs for root lie, whatever the PATH of whoever asks.
SEARCHED = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin"
_PACKAGES = {"ip": "iproute2", "nginx": "nginx-light", "dnsmasq": "dnsmasq-base"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One program: where it runs, how it is started, and on which ports it is there."""

    node: str
    argv: tuple[str, ...]
    tcp_ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()


def tool(name: str) -> str:
    """The path of a program. Raises PrivilegeError with the package that brings it."""
    found = shutil.which(name, path=SEARCHED)
    if found is None:
        package = _PACKAGES.get(name, name)
        raise PrivilegeError(f"the laboratory needs {name}, which is not there; sudo apt-get install {package}")
    return found


# Whatever speaks neither HTTP over TCP nor DNS, in one process of our own; it listens on this port last.
TALKER = Service(node=FAR, argv=("talking",), tcp_ports=spoken.TCP_PORTS[-1:])


def services(folder: Path, servers: Servers) -> Iterator[Service]:
    """All other programs of a laboratory, their files written into ``folder``."""
    certificate(folder)
    _site(folder)
    behind = BEHIND_PORT if servers.resets else 443
    (folder / "nginx.conf").write_text(_nginx(folder, servers, behind))
    nginx = (tool("nginx"), "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log")
    yield Service(node=FAR, argv=nginx, tcp_ports=(behind, 80))
    if servers.resets:
        front = (sys.executable, "-m", "fingerprint.lab.kernel.refusing", str(behind), *sorted(servers.resets))
        yield Service(node=FAR, argv=front, tcp_ports=(443,))
    for node, listen in ((FAR, world.PUBLIC_RESOLVER), (PROVIDER, world.RESOLVER)):
        (folder / f"{node}.dns").write_text(_dnsmasq(folder, node, listen, servers))
        argv = (tool("dnsmasq"), "-k", f"--conf-file={folder}/{node}.dns")
        yield Service(node=node, argv=argv, tcp_ports=(53,), udp_ports=(53,))


def certified(folder: Path) -> tuple[str, str]:
    """Where certificate and key will lie."""
    return f"{folder}/cert.pem", f"{folder}/key.pem"


def certificate(folder: Path) -> None:
    """A certificate for all names of the laboratory, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in world.NAMES]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _site(folder: Path) -> None:
    """A folder for each name, and one for whoever names none of them; the large file is everywhere the same."""
    with (folder / "large").open("wb") as large:
        large.truncate(spoken.LARGE_BYTES)
    for name in (_NOBODY, *world.NAMES):
        site = folder / "site" / name
        site.mkdir(parents=True)
        (site / "index.html").write_bytes(spoken.page("" if name == _NOBODY else name))
        (site / "large").hardlink_to(folder / "large")


def _nginx(folder: Path, servers: Servers, tls_port: int) -> str:
    limits = (
        "".join(
            _virtual(folder, tls_port, closed=servers.closed, name=name, more=f"limit_rate {max(1, round(bps / 8))};")
            for name, bps in servers.limits_bps.items()
        )
        + "".join(
            _virtual(folder, tls_port, closed=servers.closed, name=name, more=_returns(status))
            for name, status in servers.statuses.items()
        )
        + "".join(
            _virtual(folder, tls_port, closed=servers.closed, name=name, shown=_own_certificate(folder, name, by))
            for name, by in servers.certificates.items()
        )
    )
    versions = "TLSv1.3" if servers.newest_tls_only else "TLSv1.2 TLSv1.3"
    # RFC 7838: what has HTTP/3 says so.
    advertised = "add_header Alt-Svc 'h3=\":443\"; ma=86400' always;" if servers.quic else ""
    sites = " ".join(f"{name} {name};" for name in world.NAMES)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
user root; daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
  access_log off; {temporary} default_type text/html; sendfile on; tcp_nodelay on; keepalive_timeout 30s;
  client_max_body_size 0; server_names_hash_bucket_size 128; {advertised}
  ssl_protocols {versions}; map $host $site {{ default {_NOBODY}; {sites} }}
  server {{ listen unix:{folder}/sink; location / {{ return 200 "ok"; }} }}
  {_virtual(folder, tls_port, closed=servers.closed, name="_", default=True)}
  {limits}
}}
"""


def _returns(status: int) -> str:
    """A refusal of the server's own, or the way to TLS."""
    said = "https://$host/" if status < 400 else "refused\\n"
    return f'if ($uri != "") {{ return {status} "{said}"; }}'


def _own_certificate(folder: Path, name: str, signed_by: str | None) -> tuple[str, str]:
    """Files with a certificate for one name, and its key."""
    file = folder / f"{name}.pem"
    file.write_bytes(certificates.pem(name, certificates.Issuer(common=signed_by)))
    return str(file), str(file)


def _virtual(
    folder: Path,
    tls_port: int,
    *,
    name: str,
    default: bool = False,
    more: str = "",
    shown: tuple[str, str] | None = None,
    closed: frozenset[int] = frozenset(),
) -> str:
    leaf, key = shown or (f"{folder}/cert.pem", f"{folder}/key.pem")
    mark = " default_server" if default else ""
    ends = [(at, "") for at in _ends(80, closed)]
    ends += [(at, " ssl") for port in _MORE_TLS_PORTS for at in _ends(port)]
    ends += [(at, " ssl") for at in (_ends(443, closed) if tls_port == 443 else (f"127.0.0.1:{tls_port}",))]
    listens = " ".join(f"listen {at}{secure}{mark};" for at, secure in ends)
    # An upload is taken in whole before it is answered: nginx hands it on only when it has all of it.
    return f"""
  server {{
    {listens} server_name {name}; root {folder}/site/$site; {more}
    ssl_certificate {leaf}; ssl_certificate_key {key};
    error_page 418 = @upload;
    location / {{ if ($request_method = POST) {{ return 418; }} index index.html; }}
    location @upload {{ proxy_pass http://unix:{folder}/sink; proxy_method GET; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; }}
  }}"""


def _ends(port: int, closed: frozenset[int] = frozenset()) -> tuple[str, ...]:
    """Where a port is listened on: at all addresses, or at all but those of the server that has it closed."""
    if port not in closed:
        return str(port), f"[::]:{port}"
    others = (*world.SERVER_B, *world.PUBLIC_RESOLVER)
    return tuple(f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in others)


# RFC 1035 section 4.1.1: how dnsmasq is told to answer a name with a bare code; without a server it refuses.
_DENIALS = {3: "address=/{}/", 5: "server=/{}/#"}


def _dnsmasq(folder: Path, node: str, listen: tuple[str, ...], servers: Servers) -> str:
    own = node == PROVIDER
    lies, denies = (servers.resolver_lies, servers.resolver_denies) if own else ({}, {})
    unknown = f"address=/#/{servers.resolver_hijacks}" if own and servers.resolver_hijacks else "local=/#/"
    # dnsmasq(8): without a group it leaves groups alone, which a user namespace forbids to change (user_namespaces(7)).
    lines = [
        "user=root", "group=", f"pid-file={folder}/{node}.pid", "log-facility=-", "no-resolv", "no-hosts",
        "bind-interfaces", "cache-size=0", "local-ttl=300", unknown, "except-interface=lo",
        *(f"listen-address={address}" for address in listen),
    ]  # fmt: skip
    for name, addresses in world.NAMES.items():
        if name in servers.lame:
            lines.append(f"server=/{name}/{world.NO_RESOLVER[0]}")  # the zone's servers do not answer
        elif name in lies:
            lines.append(f"address=/{name}/{lies[name]}")
        elif name in denies:
            lines.append(_DENIALS[denies[name]].format(name))
        elif name in servers.gone:
            lines.append(f"address=/{name}/")
        else:
            lines += [f"address=/{name}/{address}" for address in addresses]
    return "\n".join(lines) + "\n"

"""What the user asked for, from words of the command line to plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from captures.errors import TargetError
from fingerprint.live.resolving import is_address
from fingerprint.probing.budget import Budget
from fingerprint.probing.names_asked import never_registered
from fingerprint.probing.plan import ORDERS, Plan
from fingerprint.services.choosing import close
from fingerprint.services.model import Service, Services
from fingerprint.steps import Control, Target

# RFC 1035 section 2.3.4 and RFC 1123 section 2.1, with the underscore that names in the wild have.
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
UNITS = {"": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A target as it was named."""

    name: str
    port: int = 443
    secure: bool = True
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Everything that decides what is sent."""

    targets: tuple[Named, ...]
    controls: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()  # of the targets, those of services that can be held against somebody
    resolvers: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    residual_s: float = 180.0
    order: str = "adaptive"
    seed: int = 0
    interface: str | None = None
    capture_all: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Targets and controls, each once."""
        return tuple(dict.fromkeys([*(t.name for t in self.targets), *self.controls]))

    def plan(self, addresses: Mapping[str, Sequence[str]], resolvers: Sequence[str], recorder: str) -> Plan:
        """The plan, with the addresses of every name.

        Where no control was named it is a name that nobody registered, said to the target's own address: no host takes
        part that was not named.
        """
        named = tuple(Control(name=name, addresses=tuple(addresses.get(name, ()))) for name in self.controls)
        planned = (
            Target(
                name=t.name,
                addresses=tuple(addresses.get(t.name, ())),
                port=t.port,
                secure=t.secure,
                path=t.path,
                controls=named,
                resolvers=tuple(resolvers),
                seed=self.seed,
                residual_s=self.residual_s,
            )
            for t in self.targets
        )
        targets = tuple(t if named else replace(t, controls=(Control(name=never_registered(t)),)) for t in planned)
        return Plan(
            targets=targets,
            techniques=self.techniques,
            seed=self.seed,
            residual_s=self.residual_s,
            budget=self.budget,
            order=self.order,
            recorder=recorder,
            capture_all=self.capture_all,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the words for targets and controls mean."""

    targets: tuple[Named, ...]
    controls: tuple[str, ...]
    sensitive: tuple[str, ...]


def wanted(words: Iterable[str], controls: Iterable[str], known: Services, at_ns: int) -> Wanted:
    """Hosts as they are named, and services as the names that stand for their roles at that time.

    Where no control is named, a service's own are taken. Raises TargetError for a word that means nothing.
    """
    targets: dict[str, Named] = {}
    beside = [host_name(name) for name in controls]
    theirs: list[str] = []
    for word in words:
        service = _service(word, known)
        meant = _names(service, at_ns) if service else [named(word)]
        for one in meant:
            targets.setdefault(one.name, one) if service else targets.update({one.name: one})
        theirs += (*service.controls, *service.neighbours) if service else ()
    files = {name: found[0] for name in targets if (found := known.endpoint(name, at_ns))}
    return Wanted(
        targets=tuple(targets.values()),
        controls=tuple(dict.fromkeys(name for name in beside or theirs if name not in targets)),
        sensitive=tuple(name for name, service in files.items() if service.sensitive),
    )


def _service(word: str, known: Services) -> Service | None:
    """The service of that id, None where the word is a host. A host of one label is written with a final dot."""
    if found := known.named(word.lower()):
        return found
    if not re.fullmatch(r"[A-Za-z0-9-]+", word):
        return None
    if meant := close(word, known):
        hint = f"did you mean {' or '.join(meant)}? For a host of that name write it with a final dot"
        raise TargetError(f"there is no service {word}; {hint}")
    return None


def _names(service: Service, at_ns: int) -> list[Named]:
    """What stands for a service's roles at that time. Raises TargetError where nothing does."""
    found = service.probed(at_ns)
    if not found:
        says = f"nothing of {service.id} is known to live today; fingerprint services {service.id} shows until when"
        raise TargetError(says)
    return [Named(name=e.name, port=e.ports[0], secure=e.ports[0] != 80, path=e.path or "/") for e in found]


def named(text: str) -> Named:
    """A host, ``host:port``, URL or address. Raises TargetError for anything else."""
    if "://" in text:
        return _url(text)
    host, port = text, None
    if is_address(text):
        return Named(name=text)
    if match := re.fullmatch(r"\[(.+)\](?::(\d+))?", text) or re.fullmatch(r"([^:]+):(\d+)", text):
        host, port = match.group(1), match.group(2)
    number = _port(int(port), text) if port else 443
    # RFC 9110 section 4.2.1: the port of plain HTTP.
    return Named(name=host_name(host, text), port=number, secure=number != 80)


def _url(text: str) -> Named:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"{text}: {error}; want a URL such as https://example.com/") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetError(f"{text}: only http:// and https:// can be probed; name a host, an address or such a URL")
    if parts.username or parts.password:
        raise TargetError(f"{text}: a URL with a password is not probed; leave that part out")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise TargetError(f"{text}: write the path as a browser sends it, percent-encoded")
    number = _port(port, text) if port is not None else (443 if secure else 80)
    return Named(name=host_name(parts.hostname, text), port=number, secure=secure, path=path)


def _port(port: int, text: str) -> int:
    if not 0 < port < 65536:
        raise TargetError(f"{text}: there is no port {port}; want 1 to 65535")
    return port


def host_name(host: str, text: str | None = None) -> str:
    """A host's name as it is sent: lower case, A-labels, no final dot. Raises TargetError for what is none."""
    if is_address(host):
        return host
    try:
        ascii_name = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        ascii_name = ""
    name = ascii_name.lower().removesuffix(".")
    if not name or len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise TargetError(f"{text or host}: that is no host name; name a host, host:port, a URL or an address")
    return name


def resolver(text: str) -> str:
    """A resolver's address. Raises TargetError for anything else."""
    if not is_address(text):
        raise TargetError(f"--resolver {text}: want an address, for example 9.9.9.9")
    return text


def budget(words: Iterable[str]) -> Budget:
    """``500`` packets, ``20MB``, ``300s``: each at most once. Raises TargetError for anything else."""
    given: dict[str, float] = {}
    for word in words:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", word.strip().lower())
        number, unit = (float(match[1]), match[2]) if match else (0.0, "")
        kind, factor = (
            ("seconds", SECONDS[unit])
            if unit in SECONDS
            else ("packets", 1)
            if not unit
            else ("size_bytes", UNITS.get(unit, 0))
        )
        if number * factor <= 0:
            raise TargetError(f"--budget {word}: want packets, bytes or seconds, for example 500, 20MB or 300s")
        if kind in given:
            raise TargetError(f"--budget {word}: there is a budget of that kind already; give each once")
        given[kind] = number * factor
    whole = Budget()
    return Budget(
        packets=int(given.get("packets", whole.packets)),
        size_bytes=int(given.get("size_bytes", whole.size_bytes)),
        seconds=given.get("seconds", whole.seconds),
    )


def order(word: str) -> str:
    """Raises TargetError for an order that does not exist."""
    if word not in ORDERS:
        raise TargetError(f"--order {word}: choose from {', '.join(ORDERS)}")
    return word

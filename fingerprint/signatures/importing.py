"""Published sets of block-page signatures, turned into a table of the user's own.

Read are the forms in which the sets are published: OONI's CSV (ooni/blocking-fingerprints), Censored Planet's lines of
JSON (``fingerprint`` and ``pattern``, an expression), and Citizen Lab's filtering-annotations as CSV or JSON. Rights
and upkeep of the sets stay where they are; nothing of them comes with this tool.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from captures.errors import TargetError
from fingerprint.signatures import SCOPES, Signature, signatures
from fingerprint.signatures.patterns import says_nothing

# The largest published set has about 2 MB.
MOST_BYTES = 64_000_000
# Censored Planet says it in the name: product, nation, provider; false positives have a file of their own.
_IN_NAMES = {"prod": "prod", "nat": "nat", "isp": "isp", "inst": "inst", "corp": "inst", "vbw": "vbw"}
# The one feature of expressions that it uses; everything else is text, with escapes in some versions and without in
# others.
_MEANT = re.compile(r"(?<!\\)\.[*+]")
# Citizen Lab's scopes that ours have no word for: benign injections (bills, updates), and answers that say nothing.
_OTHER_SCOPES = {"injb": "fp", "br": "vbw"}
# Filters that the customer asked for, by the names and notes of the published sets.
_ASKED_FOR = re.compile(r"opt-?in|parental|virusguard|threat", re.IGNORECASE)
# The home page of a provider: its own customers' pages name it as well as its block page does.
_HOME_PAGE = re.compile(r"^(?:https?:)?//(?:www\.[\w.-]+|[\w-]+\.[a-z]{2,})/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file: the table's text, how many rows, and a sentence for each that was left out."""

    toml: str
    rows: int
    complaints: tuple[str, ...]


def imported(file: Path) -> Imported:
    """The file as a table. Raises TargetError if it cannot be read or is in none of the known forms."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TargetError(f"{file}: {error.strerror}; name a file of signatures") from None
    if len(content) > MOST_BYTES:
        raise TargetError(f"{file.name}: {len(content)} bytes are no set of signatures; want {MOST_BYTES} at most")
    found = list(_rows(_text(content), file.name))
    if not found:
        raise TargetError(
            f"{file.name}: it holds no signature; want OONI's CSV, or JSON of Censored Planet or Citizen Lab"
        )
    good: dict[str, Signature] = {}
    complaints = []
    for signature in found:
        told = {key: getattr(signature, key) for key in ("id", "where", "match", "pattern", "scope")}
        said = signatures([(file.stem, told)]).complaints
        if said:
            complaints.append(f"{signature.id}: {said[0].partition(': ')[2]}")
        elif why := says_nothing(signature.match, signature.pattern):
            complaints.append(f"{signature.id}: {why}; it is left out")
        else:
            good.setdefault(signature.id if signature.id not in good else f"{signature.id}-{len(good)}", signature)
    return Imported(toml=_toml(good, file.name, content), rows=len(good), complaints=tuple(complaints))


def _text(content: bytes) -> str:
    """As it is written: UTF-8, or with a byte order mark UTF-16, as spreadsheets save it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    return content.decode(errors="replace").lstrip("\ufeff")


def _rows(text: str, name: str) -> Iterator[Signature]:
    if text.lstrip()[:1] in ("{", "["):
        yield from _of_json(text, name)
        return
    reader = csv.DictReader(io.StringIO(text))
    fields = set(reader.fieldnames or ())
    if not ({"name", "pattern"} <= fields or {"name", "response"} <= fields):
        raise TargetError(f"{name}: neither JSON nor CSV with a header of name and pattern; see `signatures import -h`")
    try:
        for row in reader:
            yield from _of_row(row)
    except csv.Error as error:
        raise TargetError(f"{name}: line {reader.line_num} is no CSV ({error}); mend or remove it") from None


def _of_json(text: str, name: str) -> Iterator[Signature]:
    """An object a line, or one list or object of them."""
    try:
        whole = json.loads(text)
        told = whole if isinstance(whole, list) else list(_inside(whole))
    except RecursionError:
        raise TargetError(f"{name}: JSON nested so deep is no set of signatures") from None
    except json.JSONDecodeError:
        told = list(_of_lines(text, name))
    for row in told:
        if isinstance(row, dict) and "fingerprint" in row:
            yield from _of_censored_planet(row, false_positive="false_positive" in name)
        elif isinstance(row, dict):
            yield from _of_row({k: v if isinstance(v, str) else _words(v) for k, v in row.items()})


def _of_lines(text: str, name: str) -> Iterator[object]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
            raise TargetError(f"{name}: line {number} is no JSON ({why}); mend or remove it") from None


def _words(value: object) -> str:
    """A list as its words, nothing as nothing."""
    return "" if value is None else " ".join(map(str, value)) if isinstance(value, list) else json.dumps(value)


def _inside(whole: Mapping[str, object]) -> Iterator[object]:
    """One signature, or signatures by their names."""
    if "pattern" in whole or "response" in whole:
        yield whole
        return
    for key, value in whole.items():
        if isinstance(value, dict):
            yield {"name": key, **value}
        elif isinstance(value, list):
            yield from value
        else:
            yield {"fingerprint": key, "pattern": value}


def _of_row(row: Mapping[str, str | None]) -> Iterator[Signature]:
    """OONI's columns, which are Citizen Lab's with one more for the kind of pattern."""
    pattern = row.get("pattern") or row.get("response") or ""
    where = (row.get("location_found") or ("dns" if row.get("response") else "body")).lower()
    match = row.get("pattern_type") or ("full" if where == "dns" else "contains")
    if where == "header":
        field, colon, rest = pattern.partition(": ")
        where, pattern, match = (
            (f"header.{field.lower()}", rest, "prefix") if colon else ("header.location", pattern, match)
        )
    countries = re.findall(r"\b[A-Z]{2}\b", row.get("expected_countries") or "")
    yield Signature(
        id=row.get("name") or f"row-{sha256(pattern.encode(errors='replace')).hexdigest()[:8]}",
        where=where, match=match, pattern=pattern, scope=_scope(row, where, pattern),
        countries=tuple(countries), source=row.get("source") or row.get("exp_url") or "",
    )  # fmt: skip


def _scope(row: Mapping[str, str | None], where: str, pattern: str) -> str:
    """Whose page it is; weaker than told where customers asked for the filter, or where anybody may say the same."""
    told = row.get("scope") or ""
    scope = _OTHER_SCOPES.get(told, told if told in SCOPES else "vbw")
    if scope in ("nat", "isp"):
        if _ASKED_FOR.search(" ".join(row.get(key) or "" for key in ("name", "other_names", "notes", "common_name"))):
            return "inst"
        if where == "body" and _HOME_PAGE.match(pattern):
            return "vbw"
    return scope


def _of_censored_planet(row: Mapping[str, object], *, false_positive: bool) -> Iterator[Signature]:
    name, pattern = str(row["fingerprint"]), str(row.get("pattern", ""))
    part = next((word for word in name.split("_") if word in _IN_NAMES), "")
    scope = "fp" if false_positive else _IN_NAMES.get(part, "vbw")
    expression = bool(_MEANT.search(pattern))
    match = "regexp" if expression else "contains"
    plain = pattern if expression else re.sub(r"\\(.)", r"\1", pattern)
    common: dict[str, Any] = {"scope": scope, "source": "Censored Planet"}
    in_body = "vbw" if scope in ("nat", "isp") and _HOME_PAGE.match(plain) else scope
    for field in ("Location", "Server"):
        if plain.startswith(f"{field}: "):
            yield Signature(
                id=name, where=f"header.{field.lower()}", match=match, pattern=plain[len(field) + 2 :], **common
            )
            return
    yield Signature(id=name, where="body", match=match, pattern=plain, **(common | {"scope": in_body}))
    if plain.startswith(("http://", "https://")):
        kind = "regexp" if expression else "prefix"
        yield Signature(id=f"{name}-location", where="header.location", match=kind, pattern=plain, **common)


def _toml(rows: Mapping[str, Signature], name: str, content: bytes) -> str:
    """The table. JSON's strings are TOML's."""
    lines = [
        f"# Made by `fingerprint signatures import` from {json.dumps(name)}.",
        f"version = {json.dumps('sha256:' + sha256(content).hexdigest()[:16])}",
        f"about = {json.dumps('Imported from ' + name)}",
    ]
    for key, s in rows.items():
        told = {
            "id": key,
            "where": s.where,
            "match": s.match,
            "pattern": s.pattern,
            "scope": s.scope,
            "source": s.source,
        }
        lines += ["", "[[row]]", *(f"{k} = {_string(v)}" for k, v in told.items())]
        if s.countries:
            lines.append(f"countries = {json.dumps(list(s.countries))}")
    return "\n".join(lines) + "\n"


def _string(text: str) -> str:
    """A basic string of TOML; DEL is the one character that JSON leaves and TOML does not allow."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

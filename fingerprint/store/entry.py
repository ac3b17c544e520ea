"""One line of a store: an account, what it is called and what made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from fingerprint.accounts import KINDS, PACKETS, Account
from fingerprint.report.document import SCHEMA as REPORT
from fingerprint.report.document import vantage as written
from fingerprint.vantages import fields as vantage_fields
from fingerprint.vantages.vantage import Vantage

SCHEMA = "fingerprint/store/1"
FAMILY = "fingerprint/store/"
REPORTS = "fingerprint/report/"


class NewerError(ValueError):
    """The line was written by a later version of this tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An account as it is stored. ``version`` is that of the line it was read from; it is written as the present one.

    ``made_by`` names whatever could change the judgement: the tool, tables, plugins, settings.
    """

    id: str
    account: Account
    made_by: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1

    @property
    def captures(self) -> tuple[str, ...]:
        """Hashes of the captures that it was made from, each once; none of an account without packets."""
        told = self.account.document["captures"] if self.account.kind == PACKETS else ()
        return tuple(dict.fromkeys(capture["sha256"] for capture in told))


def entry(account: Account, made_by: Mapping[str, Any] | None = None) -> Entry:
    """The account with its id. Without ``made_by`` the tool that its document names counts as its maker."""
    made_by = {"tool": account.document["tool"]} if made_by is None else made_by
    captures = [c["sha256"] for c in account.document["captures"]] if account.kind == PACKETS else []
    return Entry(id=name(account, captures, made_by), account=account, made_by=made_by)


def name(account: Account, captures: list[str], made_by: Mapping[str, Any]) -> str:
    """The id of an account. Where no capture stands behind it, its whole document does."""
    return id_of(captures or [digest(account.document)], account.vantage, made_by, account.kind)


def id_of(content: list[str], vantage: Vantage, made_by: Mapping[str, Any], kind: str = PACKETS) -> str:
    """What an account of this content (hashes), seen from there and made by these means, is called."""
    return digest([kind, list(dict.fromkeys(content)), written(vantage), made_by])


def digest(value: object) -> str:
    """The SHA-256 of a value as JSON, whatever the order of its keys."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def line(of: Entry) -> bytes:
    """The entry as one line, its end included."""
    account = of.account
    told = {
        "schema": SCHEMA,
        "id": of.id,
        "kind": account.kind,
        "file": account.file,
        "sha256": account.sha256,
        "vantage": written(account.vantage),
        "made_by": of.made_by,
        "document": account.document,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def read(text: bytes, where: str) -> Entry:
    """The entry of a line. Raises NewerError for one of a later version, ValueError for what is none.

    ``where`` names the line, for accounts that name no file of their own.
    """
    try:
        told = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(told, dict):
        raise ValueError("it is no object")  # noqa: TRY004  # one kind of error for a line that is none
    schema = told.get("schema")
    if schema == SCHEMA:
        return _present(told, where)
    if schema == REPORT:
        return _bare(told, where)
    if isinstance(schema, str) and schema.startswith((FAMILY, REPORTS)):
        raise NewerError(schema)
    raise ValueError(f"its schema is {schema!r}")


def _present(told: dict[str, Any], where: str) -> Entry:
    document = _document(told.get("document"))
    kind, vantage, made_by = told.get("kind"), told.get("vantage"), told.get("made_by")
    if kind not in KINDS:
        raise ValueError(f"its kind is {kind!r}; want one of {', '.join(KINDS)}")
    if not isinstance(told.get("id"), str) or not isinstance(vantage, dict) or not isinstance(made_by, dict):
        raise ValueError("it wants an id, a vantage and what made it")  # noqa: TRY004  # as above
    account = Account(
        kind=kind,
        vantage=vantage_fields.vantage(vantage, strict=False),
        document=document,
        **_source(document, where, told.get("file"), told.get("sha256")),
    )
    return Entry(id=told["id"], account=account, made_by=made_by)


def _bare(document: dict[str, Any], where: str) -> Entry:
    """A line of the first stores: the document alone, at a vantage that only its captures can name."""
    _document(document)
    told = [vantage_fields.vantage(c.get("vantage") or {}, strict=False) for c in document["captures"]]
    vantage = told[0] if told and all(v == told[0] for v in told) else Vantage()
    account = Account(kind=PACKETS, vantage=vantage, document=document, **_source(document, where, None, None))
    made = entry(account)
    return Entry(id=made.id, account=account, made_by=made.made_by, version=0)


def _document(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ValueError("it has no document")  # noqa: TRY004  # as above
    schema = document.get("schema")
    if schema != REPORT:
        if isinstance(schema, str) and schema.startswith(REPORTS):
            raise NewerError(schema)
        raise ValueError(f"the schema of its document is {schema!r}")
    captures, targets = document.get("captures"), document.get("targets")
    whole = isinstance(captures, list) and isinstance(targets, list) and isinstance(document.get("tool"), dict)
    if not whole or not all(isinstance(c, dict) and isinstance(c.get("sha256"), str) for c in captures or ()):
        raise ValueError("its document has no captures, or no targets")
    return document


def _source(document: dict[str, Any], where: str, file: object, sha: object) -> dict[str, Any]:
    """Which file stands behind an account: as the line says, else its first capture, else the line itself."""
    first: dict[str, Any] = next(iter(document["captures"]), {})
    file = file if isinstance(file, str) else first.get("file")
    sha = sha if isinstance(sha, str) else first.get("sha256")
    return {
        "file": file if isinstance(file, str) else where,
        "sha256": sha if isinstance(sha, str) else digest(document),
    }

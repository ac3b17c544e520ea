"""From a template and what it shows to one file that needs nothing else: no request, no font, no script from anywhere.

Every text passes `terminal.clean` and the escaping of HTML on its way in: names come from packets, and packets from
strangers. The policy in the head lets a browser run only the style and the script that are in the file, by hash.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from fingerprint import __version__
from fingerprint.incident.names import p_value
from fingerprint.pages import phrases
from fingerprint.terminal import clean

FOLDER = files(__name__.rpartition(".")[0]) / "templates"


class Ours(BaseLoader):
    """The templates that come with the package, wherever it is installed."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, None]:  # noqa: ARG002
        """Text of a template. Raises TemplateNotFound."""
        found = FOLDER / template
        if not found.is_file():
            raise TemplateNotFound(template)
        return found.read_text("utf-8"), None, None


@cache
def environment() -> Environment:
    """Jinja with everything escaped and nothing undefined passed over."""
    made = Environment(
        loader=Ours(), autoescape=True, undefined=StrictUndefined, finalize=_harmless, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        minute=phrases.minute,
        probability=phrases.probability,
        onset=phrases.onset,
        shut=phrases.shut,
        sentence=phrases.sentence,
        unbroken=phrases.unbroken,
        dotted=phrases.dotted,
        p=p_value,
    )
    made.globals.update(count=phrases.count, version=__version__)
    return made


def _harmless(value: Any) -> Any:
    """Texts without characters that steer; markup of ours as it is."""
    return value if isinstance(value, Markup) else clean(str(value))


def page(template: str, **shown: object) -> str:
    """The whole file."""
    style, script = source("page.css"), source("page.js")
    policy = (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    made = environment().get_template(template)
    # Both were written by us and hold no "</": the digest is of exactly what stands between the tags.
    return made.render(style=Markup(style), script=Markup(script), policy=policy, **shown) + "\n"  # noqa: S704


@cache
def source(name: str) -> str:
    """A file of the folder."""
    return (FOLDER / name).read_text("utf-8")


def digest(text: str) -> str:
    """As a content security policy names it (W3C CSP level 3, section 2.3.1)."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode("ascii")

"""A page taken apart: what its tests ask about."""

from __future__ import annotations

import io
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

from fingerprint.pages import write_html

VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "wbr"})


class Page(HTMLParser):
    """Elements in order, with their attributes; texts of style and script; whether everything closes as it opened."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.html, self.elements, self.texts, self.read, self.open, self.crossed = html, [], {}, [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)
            self.read += [data] if self.open[-1] not in {"style", "script"} else []

    def all(self, name):
        return [value for _, attributes in self.elements if (value := attributes.get(name)) is not None]

    @property
    def ids(self):
        return self.all("id")

    @property
    def policy(self):
        return next(a["content"] for t, a in self.elements if t == "meta" and "http-equiv" in a)

    @property
    def words(self):
        return " ".join(" ".join(self.read).split())


def digest(text):
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def written(incident, accounts):
    out = io.StringIO()
    write_html(incident, accounts, out)
    return out.getvalue()

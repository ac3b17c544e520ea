"""SVG as text: elements whose attributes and contents are escaped, and numbers short enough to read.

Colours, fonts and patterns stand in the style sheet and are chosen by class, so that one picture serves a bright
screen, a dark one and paper.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from fingerprint.terminal import clean

Value = str | float | int | None


def tag(name: str, *inside: Markup | str, **attributes: Value) -> Markup:
    """``<name …>inside</name>``. Underscores become hyphens, a last one is dropped; None leaves an attribute out."""
    told = "".join(
        f' {_spelled(key)}="{escape(_value(value))}"' for key, value in attributes.items() if value is not None
    )
    if not inside:
        return Markup(f"<{name}{told}/>")  # noqa: S704 - every part was escaped
    return Markup(f"<{name}{told}>") + Markup().join(map(text, inside)) + Markup(f"</{name}>")  # noqa: S704


def text(value: Markup | str) -> Markup:
    """A text from a capture, harmless in a page; markup as it is."""
    return value if isinstance(value, Markup) else escape(clean(value))


def picture(
    *inside: Markup | str, width: float, height: float, label: str, described: str, key: str, class_: str
) -> Markup:
    """A drawing with its title and description, for those who do not see it. ``key`` is unique in the page."""
    return tag(
        "svg", tag("title", label, id=f"{key}-t"), tag("desc", described, id=f"{key}-d"), *inside,
        viewBox=f"0 0 {_value(width)} {_value(height)}", class_=class_, role="img",
        aria_labelledby=f"{key}-t {key}-d", xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip


def _spelled(key: str) -> str:
    """``class_`` → ``class``, ``stroke_width`` → ``stroke-width``; camel case stays."""
    return key.rstrip("_").replace("_", "-")


def _value(value: Value) -> str:
    """Two decimals at most: a hundredth of a unit is below what a screen shows."""
    return clean(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")

"""Which of the two passes is used."""

from __future__ import annotations

import pytest

from captures import core_in_use
from captures.reading import _pass_class
from captures.reference import Pass
from tests.captures.craft import reference_pass


def test_the_environment_may_ask_for_plain_python():
    with reference_pass():
        assert core_in_use() == "plain Python"
        assert _pass_class() is Pass


def test_the_compiled_pass_is_used_where_it_was_built(monkeypatch):
    monkeypatch.delenv("FINGERPRINT_CORE", raising=False)
    pytest.importorskip("captures._core", reason="the compiled core was not built here")
    assert core_in_use() == "compiled"

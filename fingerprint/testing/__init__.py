"""For authors of techniques: one call that checks all that a technique promises, and what its tests are made of.

`check_technique` is the conformance suite. `run_behind` puts a technique behind a box of the laboratory, in virtual
time; `blocked` says what came of it. `Conversation` and `written` make captures of a few packets by hand; for more, see
``captures.samples.recipe``. `TRANSFORMS` are changes that change nothing, `mangled` damages a capture.
"""

from fingerprint.testing.behind import blocked, run_behind
from fingerprint.testing.conformance import check_technique
from fingerprint.testing.conversation import Conversation, written
from fingerprint.testing.mangling import mangled
from fingerprint.testing.transforms import TRANSFORMS

__all__ = ["TRANSFORMS", "Conversation", "blocked", "check_technique", "mangled", "run_behind", "written"]

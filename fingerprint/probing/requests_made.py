"""Requests in the clear that differ in the Host alone; then, where one fails, in the path alone.

A target that speaks TLS is asked for its front page on port 80 once, beside a control: most sites listen there to send
visitors on, and boxes that read Hosts read them there. What the answer says counts as well as that it came.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from fingerprint.messages.http_page import read_page
from fingerprint.probing.names_greeted import NamesGreeted, one_a_family
from fingerprint.steps import REQUEST_FORMS, Probe, Replies, Request, Send, Target
from fingerprint.technique import Clue

# A path that no page has, as long as the target's own or longer, so that only the words differ.
HARMLESS = "/herbs-and-gardens"
REDIRECT, REFUSAL = 300, 400


class RequestsMade(NamesGreeted):
    """The steps, in order. Beside TLS a pair is a second question, and is asked more often only if it fails."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], pairs: int, listen_s: float) -> None:
        """``pairs`` of control and trigger on each address."""
        self.beside, self.path = target.secure, target.path
        self.both_fail = False  # the control as well, where it passed with another path: a word may be minded
        plain = target
        if target.secure:
            plain = replace(target, secure=False, port=80, path="/", addresses=one_a_family(target.addresses))
        super().__init__(plain, shows=shows, pairs=pairs, listen_s=listen_s)

    def steps(self) -> Probe:
        """The square of Host and address, then of Host and path."""
        yield from super().steps()
        if self.beside and self.path != "/" and not self.failed:
            self.target = replace(self.target, path=self.path)
            yield from super().steps()
        for address in tuple(self.failed)[:1]:
            yield from self._request_forms(address)
        if self.target.path != "/":
            for address in self.failed or (self.target.addresses[:1] if self.both_fail else ()):
                yield from self._paths(address)

    def _pairs(self, address: str) -> Generator[Send, Replies | None, None]:
        """Beside TLS one pair, and the others once it failed."""
        for number in range(self.pairs):
            gone_on = yield from self._pair(address, self._control(number))
            if not gone_on or (self.beside and address not in self.failed):
                return

    def fails(self, before: Replies, after: Replies) -> bool:
        """An answer of another kind than the control's is no pass: a page of refusal is an answer as well."""
        self.both_fail |= not before.passed and not after.passed
        return super().fails(before, after) or (before.passed and _kind(after) not in ("served", _kind(before)))

    def _request_forms(self, address: str) -> Generator[Send, Replies | None, None]:
        """What of the other forms passes; a form that the server does not answer for the control tells nothing."""
        control = self._control(0).name
        for form in self.target.shuffled(tuple(f for f in REQUEST_FORMS if f != "plain"), "requests"):
            trial = next(self.trials)
            for host, role in ((control, "control"), (self.target.name, "target")):
                message = Request(
                    address=address, port=self.target.port, host=host, path=self.target.path, form=form
                )  # fmt: skip
                replies = yield Send(
                    message, label=f"{form} request for {host} at {address}", role=role, seeks="profile", trial=trial,
                    listen_s=self._form_s(address),
                )  # fmt: skip
                if replies is None or not replies.passed:
                    break

    def _paths(self, address: str) -> Generator[Send, Replies | None, None]:
        """The target's Host with a harmless path, a control with the path, and the target as it was."""
        path = self.target.path
        harmless = (HARMLESS + "-" * len(path))[: max(2, len(path))]
        control = self._control(0).name
        trial = next(self.trials)
        for host, asked, role in (
            (self.target.name, harmless, "control"),
            (control, path, "control"),
            (self.target.name, path, "target"),
        ):
            replies = yield Send(
                Request(address=address, port=self.target.port, host=host, path=asked),
                label=f"request for {host}{asked} at {address}",
                role=role,
                listen_s=self.listen_s,
                shows=self.shows,
                trial=trial,
                seeks="profile",
            )
            if replies is None or replies.outcome in ("skipped", "failed"):
                return


def _kind(replies: Replies) -> str:
    """What an answer says in one word: served, sent elsewhere, refused, or none of HTTP."""
    if not replies.heard:
        return replies.outcome
    page = read_page(replies.heard)
    if page.status is None:
        return "no HTTP"
    if page.status >= REFUSAL or page.kind == "refusal":
        return "refused"
    return "sent elsewhere" if page.status >= REDIRECT else "served"

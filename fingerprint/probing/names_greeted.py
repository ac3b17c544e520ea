"""ClientHellos that differ in the name alone: the square of name and address, then place and profile.

Where the target speaks in the clear, the Host of a request takes the place of the name in the hello.

Control before trigger on every address, equal in length, segments and JA4. Only once something failed are sent: an
innocent repeat at once, which shows whether the block covers other names too; the sweep of `fingerprint.probing.sweep`;
the pair at the control's address; and the hello in every form, which shows what a DPI reassembles and how it matches.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count

from fingerprint.probing.sweep import Beam, Located, armed_sweep, control_sweep, trigger_sweep
from fingerprint.steps import FORMS, Control, Decoy, Hello, Probe, Replies, Request, Send, Target
from fingerprint.technique import Clue

# The silence of a form needs no proof of its own: some round trips more than the control's answer took.
FORM_S, FORM_RTTS = 0.4, 4
# A connection that is cut after a few packets shows it by two retransmissions of the client (RFC 6298).
ARMED_S = 3.0
UNKNOWN_RTT_S = 0.2


class NamesGreeted:
    """The steps, in order; ``shows`` are the clues that a pair could bring."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], pairs: int, listen_s: float) -> None:
        """``pairs`` of control and trigger on each address; ``listen_s`` seconds for an answer."""
        self.target, self.shows, self.pairs, self.listen_s = target, shows, pairs, listen_s
        self.controls = target.shuffled(target.controls, "hellos")
        self.trials = count(1)
        self.failed: dict[str, str] = {}  # address → outcome of the trigger
        self.by_control: dict[str, str] = {}
        self.rtt_s: dict[str, float] = {}

    def steps(self) -> Probe:
        """The square, then what only matters once something failed."""
        if not self.controls:
            return
        for address in one_a_network(self.target.addresses):
            yield from self._pairs(address)
        if not self.failed:
            return
        (first, outcome), *others = self.failed.items()
        yield from self._place(first, outcome)
        for address in one_a_family(tuple(a for c in self.controls for a in c.addresses)):
            if address not in self.target.addresses:
                yield from self._pair(address, self._control(0), seeks="profile")
        if self.target.secure:
            yield from self._forms(first)
        for address, outcome in others:
            yield from self._place(address, outcome)

    def _control(self, number: int) -> Control:
        return self.controls[number % len(self.controls)]

    def _pairs(self, address: str) -> Generator[Send, Replies | None, None]:
        for number in range(self.pairs):
            gone_on = yield from self._pair(address, self._control(number))
            if not gone_on:
                return

    def _pair(self, address: str, control: Control, seeks: str = "mechanism") -> Generator[Send, Replies | None, bool]:
        """Control, then trigger; whether another pair is worth asking for."""
        trial = next(self.trials)
        before = yield self._send(address, control.name, "control", trial, seeks=seeks)
        if before is None or before.outcome in ("skipped", "failed"):
            return False
        if before.took_s is not None:
            self.rtt_s[address] = before.took_s
        after = yield self._send(address, self.target.name, "target", trial, seeks=seeks)
        if after is None or after.outcome in ("skipped", "failed"):
            return False
        if self.fails(before, after) and seeks == "mechanism":
            first = address not in self.failed
            self.failed[address], self.by_control[address] = after.outcome, before.outcome
            if first:  # inside the residual window, on purpose
                yield self._send(address, control.name, "control", trial, at_once=True)
        return True

    def fails(self, before: Replies, after: Replies) -> bool:
        """Whether the trigger met something that the control did not."""
        return before.passed and after.outcome != before.outcome

    def _send(
        self, address: str, name: str, role: str, trial: int, *, at_once: bool = False, seeks: str = "mechanism"
    ) -> Send:
        what = "innocent repeat" if at_once else "hello" if self.target.secure else "request"
        return Send(
            self._message(address, name),
            label=f"{what} for {name} at {address}",
            role=role,
            listen_s=self.listen_s if seeks == "mechanism" and not at_once else self._form_s(address),
            shows=self.shows,
            trial=trial,
            seeks=seeks,
            at_once=at_once,
        )

    def _form_s(self, address: str) -> float:
        return min(self.listen_s, FORM_S + FORM_RTTS * self.rtt_s.get(address, UNKNOWN_RTT_S))

    def _message(self, address: str, name: str, ttl_hops: int | None = None) -> Hello | Request:
        """What names somebody there: a ClientHello, or a request where the target speaks in the clear."""
        t = self.target
        if t.secure:
            return Hello(address=address, port=t.port, name=name, ttl_hops=ttl_hops)
        return Request(address=address, port=t.port, host=name, path=t.path, ttl_hops=ttl_hops)

    def _place(self, address: str, outcome: str) -> Generator[Send, Replies | None, Located | None]:
        """The trigger's sweep, and the armed one where the box needs the server's answer."""
        control = self._control(0).name
        beam = Beam(
            message=lambda name, hops: self._message(address, name, hops),
            address=address, control=control, trigger=self.target.name, full=outcome, what=f"hello to {address}",
            hops=self.target.hops, rtt_s=self.rtt_s.get(address, UNKNOWN_RTT_S), trials=self.trials,
        )  # fmt: skip
        way = yield from control_sweep(beam)
        located = yield from trigger_sweep(beam, way)
        if located is not None or not self.target.secure or way.reach_hops is None:
            return located

        def armed(hops: int) -> Hello:
            return Hello(
                address=address, port=self.target.port, name=control, decoy=Decoy(name=self.target.name, ttl_hops=hops)
            )

        return (
            yield from armed_sweep(
                armed,
                lambda r: r.outcome != self.by_control[address],
                beam=beam,
                reach_hops=way.reach_hops,
                listen_s=ARMED_S,
            )
        )

    def _forms(self, address: str) -> Generator[Send, Replies | None, None]:
        """What of the other forms passes; a form that the server does not answer for the control tells nothing."""
        control = self._control(0).name
        for form in self.target.shuffled(tuple(f for f in FORMS if f != "plain"), "forms"):
            trial = next(self.trials)
            for name, role in ((control, "control"), (self.target.name, "target")):
                replies = yield Send(
                    Hello(address=address, port=self.target.port, name=name, form=form),
                    label=f"{form} hello for {name} at {address}",
                    role=role,
                    listen_s=self._form_s(address),
                    seeks="profile",
                    trial=trial,
                )
                if replies is None or not replies.passed:
                    break


def one_a_family(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The first IPv4 and the first IPv6 address."""
    return one_a_network(addresses, most=1)


def one_a_network(addresses: tuple[str, ...], *, most: int = 2) -> tuple[str, ...]:
    """The first address of each network, ``most`` of each family, IPv4 first.

    Resolvers that disagree about a name give addresses of different networks; those of one network stand side by side.
    """
    found: dict[bool, dict[str, str]] = {False: {}, True: {}}
    for address in addresses:
        six = ":" in address
        found[six].setdefault(":".join(address.split(":")[:2]) if six else ".".join(address.split(".")[:2]), address)
    return tuple(address for family in found.values() for address in list(family.values())[:most])

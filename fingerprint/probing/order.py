"""Which step comes next, and when to stop: the step that best separates what is still open, cheapest first.

A step has two outcomes that matter: one of the clues it could bring (`Send.shows`) is seen, or none. Their
probabilities under every hypothesis stand in the clues themselves. What is expected of a step is the mutual
information of that outcome and the hypotheses still open, less for every repeat (as in the verdict's own sum), divided
by what it costs in packets, seconds and risk. A question is closed by Wald's sequential test (Annals of Mathematical
Statistics 16, 1945): for interference once the odds moved by `UPPER`, against it once they moved by `LOWER`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fingerprint.probing.budget import worst
from fingerprint.probing.pacing import address_of
from fingerprint.probing.standing import Standing
from fingerprint.steps import Datagram, Handshake, Hello, Payload, Query, Replies, Request, Send, Transfer
from fingerprint.technique import Clue
from fingerprint.verdict import taxonomy
from fingerprint.verdict.symptoms import likelihood
from fingerprint.verdict.weighing import Balance, effective

# Stated error rates: of blocks that are none, and of blocks that are overlooked.
FALSE_BLOCK, OVERLOOKED = 0.01, 0.05
UPPER = math.log((1 - OVERLOOKED) / FALSE_BLOCK)
LOWER = math.log(OVERLOOKED / (1 - FALSE_BLOCK))
# The prior of the questions that nothing was seen of yet: one asks because one suspects (the report's own is 1 %).
SUSPECTED = 0.1
# Below this many bits a step is not worth a packet. A fair coin has one.
LEAST_BITS = 0.003
# A step that does not say what it could show is worth trying, after those that do.
UNKNOWN_BITS = 0.02
# A mechanism below which the clues of a step are no likelier than this is not what the step asks for.
ASKED_FOR = 0.15
# Where nothing failed yet, an innocent explanation has something to explain only so often: a fifth of all connections
# ends early (Cloudflare's blog of 5 September 2024).
FAILS_INNOCENTLY = 0.2
# No clue is so dependable that its absence proves more than this. Set by hand.
SURE = 0.95
# One second weighs as much as a hundred packets; a trigger as much as two seconds. Set by hand.
PKTS_A_SECOND, RISK_S = 100.0, 2.0

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Question:
    """What a step asks: repeats of it are one question. Control and trigger ask it together."""

    technique: str
    kind: str
    address: str
    manner: str
    seeks: str


def question(technique: str, step: Send) -> Question:
    """The question of a step."""
    m = step.message
    match m:
        case Query():
            manner = f"{m.over} {m.ttl_hops or ''}"
        case Hello():
            manner = f"{m.form} {m.ttl_hops or ''} {m.decoy.ttl_hops if m.decoy else ''}"
        case Transfer():
            manner = "up" if m.upload else "down"
        case Request():
            manner = f"{m.form} {m.path} {m.ttl_hops or ''}"
        case Handshake():
            manner = f"{m.ttl_hops or ''}"
        case Payload() | Datagram():
            manner = f"{m.port} {len(m.payload)} {m.ttl_hops or ''}"
        case _:
            manner = step.label
    return Question(technique, type(m).__name__, address_of(m), manner, step.seeks)


def layer_of(step: Send) -> str:
    """The layer at which interference with a step would show."""
    match step.message:
        case Query():
            return "dns"
        case Hello() | Transfer(secure=True):
            return "tls"
        case Request() | Transfer():
            return "http"
        case Datagram(port=443):
            return "quic"
        case Datagram():
            return "udp"
    return "tcp"


def shown(clues: Iterable[Clue], hypothesis: str, layer: str) -> float:
    """P(at least one of the clues is seen | hypothesis); clues of one group are one thing seen."""
    groups: dict[str, float] = {}
    for clue in clues:
        if clue.given:
            groups[clue.group] = max(groups.get(clue.group, 0.0), likelihood(clue, hypothesis, layer))
    return min(SURE, 1 - math.prod(1 - p for p in groups.values()))


def unasked(clues: Iterable[Clue], hypothesis: str, layer: str) -> float:
    """The same before anything failed: clues tell what explains a failure, and most innocent lines have none."""
    likely = shown(clues, hypothesis, layer)
    return likely * FAILS_INNOCENTLY if hypothesis in taxonomy.INNOCENTS else likely


def information_bits(prior: Weights, seen: Weights) -> float:
    """Mutual information of hypothesis and outcome; both mappings have the same keys, and ``prior`` sums to one."""
    together = sum(p * seen[h] for h, p in prior.items())
    return max(0.0, _entropy(together) - sum(p * _entropy(seen[h]) for h, p in prior.items()))


def _entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


@dataclass(slots=True)
class Asked:
    """What became of a question so far."""

    tries: int = 0
    absences: list[tuple[tuple[Clue, ...], str]] = field(default_factory=list)  # tries that brought nothing
    seen: bool = False


@dataclass(slots=True)
class Order:
    """Chooses among the pending steps of one target. ``fixed`` keeps the lanes' own order and omits nothing."""

    target: str
    fixed: bool = False
    standing: Standing = field(default_factory=Standing)
    asked: dict[Question, Asked] = field(default_factory=dict)
    failing: bool = False  # some hello or request of the target's did not pass
    loads: dict[str, bool] = field(default_factory=dict)  # address → whether the target ever answered there

    def hear(self, step: Send, replies: Replies) -> None:
        """Take in what one step brought at once: what does not load at all cannot be slow."""
        m = step.message
        if step.role != "control" and isinstance(m, Hello | Request) and not m.ttl_hops and step.seeks == "mechanism":
            loads = replies.outcome in ("answered", "stalled")
            self.loads[m.address] = loads or self.loads.get(m.address, False)
            self.failing |= not replies.passed
        elif step.role != "control" and isinstance(m, Payload | Datagram) and not m.ttl_hops:
            self.failing |= replies.outcome in ("silent", "unanswered", "reset")

    def learn(self, tried: Iterable[tuple[str, Send, Replies]], standing: Standing) -> None:
        """Take in how things stand after these (technique, step, replies), the triggers of a trial."""
        self.standing = standing
        found = standing.clues.get(self.target, frozenset())
        for technique, step, replies in tried:
            one = self.asked.setdefault(question(technique, step), Asked())
            one.tries += 1
            if any(clue.id in found for clue in step.shows):
                one.seen = True
            # What failed without a clue is open and no sign of innocence; a query may go unanswered for good reason.
            elif step.shows and (replies.passed or isinstance(step.message, Query)):
                one.absences.append((step.shows, layer_of(step)))

    @property
    def state(self) -> str:
        """The verdict's state so far; empty before there is one."""
        verdict = self.standing.verdicts.get(self.target)
        return verdict.state if verdict else ""

    @property
    def convicted(self) -> bool:
        """A mechanism is decided, and the odds moved as far as the stated error rates want."""
        return self.state == "blocked" and any(
            _log_odds(b.blocked()) - _log_odds(taxonomy.PRIOR_BLOCKED) >= UPPER for b in self._balances
        )

    @property
    def complete(self) -> bool:
        """Convicted, and nothing deeper can be said: every mechanism is a leaf and its position is known."""
        verdict = self.standing.verdicts.get(self.target)
        return bool(
            self.convicted
            and verdict
            and all(taxonomy.below(m.node) == (m.node,) and m.position != "unknown" for m in verdict.mechanisms)
        )

    @property
    def _balances(self) -> tuple[Balance, ...]:
        return self.standing.balances.get(self.target, ())

    @property
    def worth_following_up(self) -> bool:
        """Whether something was found that has a place and a profile."""
        return self.failing or self.state in ("blocked", "insufficient")

    def worth(self, technique: str, step: Send) -> bool:
        """Whether a step could still change the answer."""
        if self.fixed:
            return True
        if step.seeks != "mechanism":
            return True  # in its turn
        if isinstance(step.message, Transfer) and not self.loads.get(step.message.address, True):
            return False
        if not any(clue.given for clue in step.shows):
            return True
        one = self.asked.get(question(technique, step), Asked())
        if one.seen and self.convicted:
            settled = any(b.symptom.layer == layer_of(step) and self._settled(b) for b in self._balances)
            return not settled and one.tries < 3
        if not one.seen and self._log_likelihood_ratio(one) <= LOWER:
            return False
        return self.bits(technique, step) >= LEAST_BITS

    def _settled(self, balance: Balance) -> bool:
        verdict = self.standing.verdicts.get(self.target)
        nodes = {(m.node, m.position) for m in verdict.mechanisms} if verdict else set()
        mine = [(n, at) for n, at in nodes if n.startswith(f"{balance.symptom.layer}.{balance.symptom.action}")]
        return any(taxonomy.below(n) == (n,) and at != "unknown" for n, at in mine)

    def bits(self, technique: str, step: Send) -> float:
        """What is expected of a step, with its pair."""
        if not any(clue.given for clue in step.shows):
            return UNKNOWN_BITS
        one = self.asked.get(question(technique, step), Asked())
        layer = layer_of(step)
        expected = [0.0]
        if not one.seen:
            prior = _posterior(_nodes(layer, step.shows), self._absence(one))
            expected.append(information_bits(prior, {h: unasked(step.shows, h, layer) for h in prior}))
        for balance in self._balances:
            if balance.symptom.layer == layer:
                expected += [
                    information_bits(balance.posterior, {h: likelihood(clue, h, layer) for h in balance.posterior})
                    for clue in step.shows
                    if clue.given
                ]
        return max(expected) * (effective(one.tries + 1) - effective(one.tries))

    def score(self, technique: str, step: Send, wait_s: float) -> float:
        """Bits for a second's worth of cost."""
        packets, _ = worst(step.message)
        seconds = step.message.seconds if isinstance(step.message, Transfer) else step.listen_s
        risk_s = 0.0 if isinstance(step.message, Query) else RISK_S
        cost_s = packets / PKTS_A_SECOND + seconds / 2 + wait_s + risk_s
        bits = self.bits(technique, step) if step.seeks == "mechanism" else LEAST_BITS
        return bits / max(cost_s, 0.1)

    def _log_likelihood_ratio(self, one: Asked) -> float:
        """How far tries that brought nothing moved the odds of interference."""
        if not one.absences:
            return 0.0
        clues, layer = one.absences[0]
        before, after = (_posterior(_nodes(layer, clues), seen) for seen in ({}, self._absence(one)))
        return _log_odds(_blocked(after)) - _log_odds(_blocked(before))

    @staticmethod
    def _absence(one: Asked) -> dict[str, float]:
        """Log-likelihood of the tries that brought nothing, repeats weighing less and less."""
        out: dict[str, float] = {}
        for k, (clues, layer) in enumerate(one.absences, start=1):
            weight = effective(k) - effective(k - 1)
            for h in (*_nodes(layer, clues), *taxonomy.INNOCENTS):
                out[h] = out.get(h, 0.0) + weight * math.log(1 - unasked(clues, h, layer))
        return out


def _nodes(layer: str, clues: Iterable[Clue]) -> tuple[str, ...]:
    """The mechanisms of a layer that these clues would show."""
    clues = tuple(clues)
    every = tuple(n for n in taxonomy.NODES if n.startswith(layer + "."))
    return tuple(n for n in every if shown(clues, n, layer) >= ASKED_FOR) or every


def _posterior(nodes: tuple[str, ...], log_likelihood: Weights) -> dict[str, float]:
    """Hypotheses of which nothing was seen yet, given what stayed away."""
    prior = {n: SUSPECTED / len(nodes) for n in nodes}
    prior |= {i: (1 - SUSPECTED) * p for i, p in taxonomy.INNOCENT_PRIOR.items()}
    raw = {h: p * math.exp(log_likelihood.get(h, 0.0)) for h, p in prior.items()}
    whole = sum(raw.values())
    return {h: r / whole for h, r in raw.items()}


def _blocked(posterior: Weights) -> float:
    return sum(p for h, p in posterior.items() if h not in taxonomy.INNOCENTS)


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-12), 1 - 1e-12)
    return math.log(p / (1 - p))

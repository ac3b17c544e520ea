"""How a transfer was held back: which of five shapes its packets have, or none.

The thresholds are those of a laboratory of 13 conditions (cubic) and of 24 captures of a policing and shaping router
(Flach et al., SIGCOMM 2016, validation set). They separate shapes; whether a shape is aimed at somebody is a question
for the control.
"""

from __future__ import annotations

from fingerprint.conversations.transfers.token_bucket import Bucket
from fingerprint.conversations.transfers.transfers import Transfer

# Lab: a shaper's queue makes round trips at least three times the handshake's, and twice those of the control.
QUEUE_RTT_RATIO = 3.0
QUEUE_CONTROL_RATIO = 2.0
# Lab: a policer costs at least 6 % of the bytes a second sending, and three times the control's share.
POLICED_RATIO = 0.06
POLICED_CONTROL_RATIO = 3.0
# A paced sender slightly above the rate loses less than 6 %; then only the missing queue tells a policer from a shaper.
# Router set: shapers that drop between 3 and 6 % show round trips of 1.4 and 1.9 times the handshake's.
LIGHTLY_POLICED_RATIO = 0.03
NO_QUEUE_RATIO = 1.3
# Short slopes between drops: spread of at most 0.03 behind policers of 100 kB burst and more, 0.29 to 0.61 under random
# loss with cubic. A paced sender under random loss reaches 0.08 too, but scatters as chance does (dispersion near 1)
# at a constant goodput, where a bucket's scatter is rounding.
EVEN_SLOPES = 0.1
EVEN_DISPERSION = 0.25
# Between the two: policers of a few packets' burst reach 0.20 on the simulated path, where one packet is much.
SCATTERED_SLOPES = 0.25
CHANCE_DISPERSION = 4.0
# Variation of steady goodput: 0.03 to 0.10 behind shapers with short queues, 0.23 and more behind policers.
CONSTANT_VARIATION = 0.15
# Lab: everything that was not throttled ran above 0.33 of its control.
FAR_BELOW_RATIO = 0.33
# Two shares of one random loss differ by chance, by less than twofold over the hundreds of packets of a transfer.
MORE_RATIO = 2.0
# Random loss of 1 to 2 % held cubic to a tenth of a 10 Mbit/s link; below 1 % it hardly shows.
LOSS_RATIO = 0.01
# A fixed delay is there from the first answers on; a queue has to fill.
EARLY_RTT_RATIO = 0.7


def shape(t: Transfer, *, control: Transfer | None = None) -> str | None:
    """shaper, delay, policer, loss, or None where neither loss nor delay says that the path held the transfer back."""
    rtts = t.in_flow_rtt_s / t.rtt_s if t.in_flow_rtt_s and t.rtt_s else 1.0
    if rtts >= QUEUE_RTT_RATIO and not _shared_queue(t, control):
        at_once = t.early_rtt_s is not None and t.in_flow_rtt_s is not None
        delayed = at_once and (t.early_rtt_s or 0.0) >= EARLY_RTT_RATIO * (t.in_flow_rtt_s or 0.0)
        return "delay" if delayed and t.variation > CONSTANT_VARIATION else "shaper"
    even = drops_on_one_line(t)
    lossier = control is None or t.retransmitted_ratio >= POLICED_CONTROL_RATIO * control.retransmitted_ratio
    enough = LIGHTLY_POLICED_RATIO if rtts < NO_QUEUE_RATIO else POLICED_RATIO
    if even and (lossier or _another_limit(t, control)) and t.retransmitted_ratio >= enough:
        return "policer"
    # A sender that paces itself is constant too, and loses on one line: only a queue makes it a shaper. Where no round
    # trips were seen, the queue's overflow has to be. Without a control nobody is convicted, and drops that chance does
    # not explain are worth telling.
    measured = bool(t.in_flow_rtt_s and t.rtt_s)
    queued = rtts >= NO_QUEUE_RATIO if measured else t.retransmitted_ratio >= LIGHTLY_POLICED_RATIO
    queued = queued or (control is None and (t.limiter.dispersion or 0.0) > CHANCE_DISPERSION)
    # Where the control is sent again as often, the drops are the path's, and their line is the sender's own pace.
    if even and queued and lossier and t.variation <= CONSTANT_VARIATION:
        return "shaper"
    return "loss" if lossier and t.retransmitted_ratio >= LOSS_RATIO else None


def shown(t: Transfer, form: str | None) -> str | None:
    """The form as it may be told: random loss only where the drops scatter, for a few may lie on any line."""
    if form != "loss":
        return form
    scattered = t.limiter.unevenness is not None and t.limiter.unevenness >= SCATTERED_SLOPES
    return form if scattered and not drops_on_one_line(t) else None


def bucket(t: Transfer, form: str | None) -> Bucket | None:
    """The rate and burst that fit the shape; None for shapes without a rate."""
    return t.limiter.policer if form == "policer" else t.limiter.shaper if form == "shaper" else None


def drops_on_one_line(t: Transfer) -> bool:
    """Whether a token bucket explains when the drops came, and chance does not."""
    dispersion, unevenness = t.limiter.dispersion, t.limiter.unevenness
    if dispersion is not None and dispersion <= EVEN_DISPERSION:
        return True
    chance = dispersion is not None and dispersion <= CHANCE_DISPERSION and t.variation <= CONSTANT_VARIATION
    return unevenness is not None and unevenness <= EVEN_SLOPES and not chance


def _another_limit(t: Transfer, control: Transfer | None) -> bool:
    """Whether a control that loses, too, loses to a limit of its own: on one line, less, and far above this rate.

    A path that loses at random takes the same share of both, and scatters it.
    """
    if control is None or t.goodput_bytes_s > FAR_BELOW_RATIO * control.goodput_bytes_s:
        return False
    return t.retransmitted_ratio >= MORE_RATIO * control.retransmitted_ratio and drops_on_one_line(control)


def _shared_queue(t: Transfer, control: Transfer | None) -> bool:
    if control is None or not control.in_flow_rtt_s or not t.in_flow_rtt_s:
        return False
    return t.in_flow_rtt_s < QUEUE_CONTROL_RATIO * control.in_flow_rtt_s

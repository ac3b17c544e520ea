"""What scapy needs for a part of the task: decode, keep flows, count resets, DNS answers, hellos: FILE PACKETS."""

import itertools
import sys

from scapy.layers.dns import DNS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import PcapReader

flows: dict = {}
resets = answers = hellos = 0
with PcapReader(sys.argv[1]) as frames:
    for frame in itertools.islice(frames, int(sys.argv[2])):
        ip = frame.getlayer(IP) or frame.getlayer(IPv6)
        if ip is None:
            continue
        segment = frame.getlayer(TCP) or frame.getlayer(UDP)
        if segment is None:
            continue
        if segment.name == "TCP":
            payload = bytes(segment.payload)
            resets += bool(segment.flags.R)
            hellos += payload[:2] == b"\x16\x03" and payload[5:6] == b"\x01"
        else:
            message = segment.getlayer(DNS)
            answers += message is not None and bool(message.qr)
        ends = tuple(sorted(((ip.src, segment.sport), (ip.dst, segment.dport))))
        flows[ends] = flows.get(ends, 0) + frame.wirelen
print(len(flows), resets, answers, hellos)

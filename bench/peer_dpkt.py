"""What dpkt needs for a part of the task: decode, keep flows, count resets, DNS answers, hellos: FILE PACKETS."""

import itertools
import sys

import dpkt

flows: dict = {}
resets = answers = hellos = 0
with open(sys.argv[1], "rb") as file:  # noqa: PTH123
    for _, frame in itertools.islice(dpkt.pcap.Reader(file), int(sys.argv[2])):
        ip = dpkt.ethernet.Ethernet(frame).data
        if not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6):
            continue
        segment = ip.data
        if isinstance(segment, dpkt.tcp.TCP):
            resets += bool(segment.flags & dpkt.tcp.TH_RST)
            hellos += segment.data[:2] == b"\x16\x03" and segment.data[5:6] == b"\x01"
        elif isinstance(segment, dpkt.udp.UDP):
            answers += segment.sport == 53 and len(segment.data) > 2 and bool(segment.data[2] & 0x80)
        else:
            continue
        ends = tuple(sorted(((ip.src, segment.sport), (ip.dst, segment.dport))))
        flows[ends] = flows.get(ends, 0) + len(frame)
print(len(flows), resets, answers, hellos)

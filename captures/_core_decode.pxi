"""A plain frame to a row; False means that `captures.decode` must look at it. Offsets are checked before each read.

A row with ``flow`` 0 has a TCP or UDP header, and its 5-tuple is in ``key``; -1 means that it has none.
"""


cdef bint tcp_options(Row *row, const uint8_t *p, uint32_t size, uint32_t captured) noexcept nogil:
    """TCP options as far as they were captured; False where one does not fit the header."""
    cdef uint32_t at = 0, end = min(size, captured)
    while at < end:
        if p[at] == 0:
            break
        if p[at] == 1:
            at += 1
            continue
        row.state |= OPTIONS
        if at + 2 > end:
            break
        if p[at + 1] < 2 or at + p[at + 1] > size:
            return False
        if p[at] == 8 and p[at + 1] == 10 and at + 10 <= end:
            row.state |= TIMESTAMPS
            row.tsval = be32(p + at + 2)
            row.tsecr = be32(p + at + 6)
        at += p[at + 1]
    return True


cdef inline bint is_passed(uint8_t protocol) noexcept nogil:
    """Whether something else follows the header: a tunnel, an extension header, or the other family's ICMP."""
    return protocol in (0, 1, 4, 41, 43, 44, 47, 51, 58, 60, 97, 135, 137, 139, 140)


cdef bint transport(Row *row, Flow *key, const uint8_t *p, uint32_t at, uint32_t size, uint32_t n) noexcept nogil:
    cdef uint32_t header_bytes, captured
    cdef bint dns_port
    row.l4_offset = <uint16_t>at
    key.protocol = row.protocol
    if row.protocol == 6:
        if size < 20 or n < at + 20:
            return False
        header_bytes = (p[at + 12] >> 4) * 4
        if header_bytes < 20 or header_bytes > size:
            return False
        if header_bytes > 20 and not tcp_options(row, p + at + 20, header_bytes - 20, n - at - 20):
            return False
        row.seq = be32(p + at + 4)
        row.ack = be32(p + at + 8)
        row.tcp_flags = be16(p + at + 12) & 0xFFF
        row.window = be16(p + at + 14)
    elif row.protocol == 17:
        header_bytes = 8
        if size < 8 or n < at + 8:
            return False
        if be16(p + at + 4) < 8 or be16(p + at + 4) > size:
            return False
        size = be16(p + at + 4)
    elif (row.protocol == 1 and row.family == 4) or (row.protocol == 58 and row.family == 6):
        if size < 8 or n < at + 2:
            return False
        row.icmp = be16(p + at)
        row.payload_offset = <uint16_t>(at + 8)
        row.payload_bytes = size - 8
        return True
    elif is_passed(row.protocol):
        return False
    else:
        row.payload_offset = <uint16_t>at
        row.payload_bytes = size
        return True
    row.payload_offset = <uint16_t>(at + header_bytes)
    row.payload_bytes = size - header_bytes
    key.source_port = be16(p + at)
    key.destination_port = be16(p + at + 2)
    if row.payload_bytes and n > at + header_bytes:
        captured = min(row.payload_bytes, n - at - header_bytes)
        p += at + header_bytes
        if row.protocol == 6:
            row.mark = mark_tcp(p, captured)
        else:
            dns_port = (key.source_port == 53 or key.destination_port == 53 or key.source_port == 5353
                        or key.destination_port == 5353)
            row.mark = mark_udp(p, captured, dns_port)
    row.flow = 0
    return True


cdef bint ipv4(Row *row, Flow *key, const uint8_t *p, uint32_t at, uint32_t n, uint32_t wire) noexcept nogil:
    cdef uint32_t header_bytes, length
    if n < at + 20 or p[at] >> 4 != 4:
        return False
    header_bytes = (p[at] & 15) * 4
    length = be16(p + at + 2)
    if header_bytes < 20 or length < header_bytes or at + length > wire or be16(p + at + 6) & 0x3FFF:
        return False
    key.family = row.family = 4
    row.ip_id = be16(p + at + 4)
    row.ip_flags = p[at + 6] >> 5
    row.dscp = p[at + 1]
    row.ttl = p[at + 8]
    row.protocol = p[at + 9]
    row.l3_offset = <uint16_t>at
    memset(key.source, 0, 32)
    memcpy(key.source, p + at + 12, 4)
    memcpy(key.destination, p + at + 16, 4)
    return transport(row, key, p, at + header_bytes, length - header_bytes, n)


cdef bint ipv6(Row *row, Flow *key, const uint8_t *p, uint32_t at, uint32_t n, uint32_t wire) noexcept nogil:
    cdef uint32_t length
    if n < at + 40 or p[at] >> 4 != 6:
        return False
    length = be16(p + at + 4)
    if length == 0 or at + 40 + length > wire:
        return False
    key.family = row.family = 6
    row.dscp = <uint8_t>(be16(p + at) >> 4)
    row.protocol = p[at + 6]
    row.ttl = p[at + 7]
    row.l3_offset = <uint16_t>at
    memcpy(key.source, p + at + 8, 32)
    return transport(row, key, p, at + 40, length, n)


cdef bint plain(Row *row, Flow *key, const uint8_t *p, uint32_t n, uint32_t wire, int link_type) noexcept nogil:
    """Fills the row of a plain frame; False where `captures.decode` must look at it."""
    cdef uint32_t at
    cdef int ethertype, tags
    row.state = CUT if n < wire else 0
    if link_type == 1:
        at = 14
    elif link_type == 113:
        at = 16
    elif link_type == 276:
        at = 20
    elif link_type == 101 or link_type == 228 or link_type == 229 or link_type == 12 or link_type == 14:
        at = 0
    elif link_type == 0 or link_type == 108:
        at = 4
    else:
        return False
    if n <= at:
        return False
    if at >= 14:
        ethertype = be16(p) if link_type == 276 else be16(p + at - 2)
        for tags in range(4):
            if ethertype != 0x8100 and ethertype != 0x88A8:
                break
            if n < at + 4:
                return False
            ethertype = be16(p + at + 2)
            at += 4
        if ethertype == 0x0806:
            return True
        if ethertype == 0x8864 and n >= at + 8:
            ethertype = be16(p + at + 6)
            ethertype = IPV4 if ethertype == 0x21 else IPV6 if ethertype == 0x57 else 0
            at += 8
    elif at:
        ethertype = min(be32(p), le32(p))
        ethertype = IPV4 if ethertype == 2 else IPV6 if ethertype in (10, 24, 28, 30) else 0
    else:
        ethertype = IPV4 if p[0] >> 4 == 4 else IPV6
    if ethertype == IPV4:
        return ipv4(row, key, p, at, n, wire)
    return ethertype == IPV6 and ipv6(row, key, p, at, n, wire)

"""Rows, flows, constants and byte order."""

# In the order of captures.columns.COLUMNS.
cdef packed struct Row:
    int64_t time_ns
    int64_t offset
    uint32_t captured_bytes
    uint32_t wire_bytes
    uint16_t interface
    uint16_t l3_offset
    uint16_t l4_offset
    uint16_t payload_offset
    uint32_t payload_bytes
    uint8_t family
    uint8_t protocol
    int32_t flow
    uint8_t direction
    uint8_t ttl
    uint16_t ip_id
    uint8_t ip_flags
    uint8_t dscp
    uint32_t seq
    uint32_t ack
    uint16_t tcp_flags
    uint16_t window
    uint32_t tsval
    uint32_t tsecr
    uint16_t icmp
    uint8_t mark
    uint8_t state
    int32_t name

cdef packed struct Flow:
    uint8_t family
    uint8_t protocol
    uint8_t source[16]
    uint8_t destination[16]
    uint16_t source_port
    uint16_t destination_port

_ROW = np.dtype([(name, kind) for name, kind in COLUMNS.items()])
_FLOW = np.dtype([
    ("family", "u1"), ("protocol", "u1"), ("source", "u1", 16), ("destination", "u1", 16),
    ("source_port", "u2"), ("destination_port", "u2"),
])
if _ROW.itemsize != sizeof(Row) or _FLOW.itemsize != sizeof(Flow):
    raise ImportError("the compiled core was built for other columns; build it again")

cdef enum:
    # captures.columns.Mark
    TLS_HELLO = 1
    TLS_HANDSHAKE = 2
    TLS_ALERT = 3
    TLS_OTHER = 4
    HTTP_REQUEST = 5
    HTTP_RESPONSE = 6
    DNS_QUERY = 7
    DNS_ANSWER = 8
    QUIC_LONG = 9
    # captures.columns.State
    CUT = 1
    OPTIONS = 8
    TIMESTAMPS = 64
    WHOLE_NAME = 128
    CHUNK_ROWS = 65536
    LONGEST_FRAME = 262144
    LONGEST_BLOCK = (16 << 20) + 1024
    LONGEST_TLS_RECORD = 18432
    LONGEST_NAME = 255
    IPV4 = 0x0800
    IPV6 = 0x86DD


cdef inline uint16_t be16(const uint8_t *p) noexcept nogil:
    return <uint16_t>(p[0] << 8 | p[1])


cdef inline uint32_t be32(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[0] << 24 | <uint32_t>p[1] << 16 | <uint32_t>p[2] << 8 | p[3]


cdef inline uint32_t le32(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[3] << 24 | <uint32_t>p[2] << 16 | <uint32_t>p[1] << 8 | p[0]


cdef inline uint32_t u32(const uint8_t *p, bint little) noexcept nogil:
    return le32(p) if little else be32(p)


cdef inline uint16_t u16(const uint8_t *p, bint little) noexcept nogil:
    return <uint16_t>(p[1] << 8 | p[0]) if little else be16(p)

"""The table of flows: 5-tuples, found in either direction."""

cdef inline uint64_t mix(uint64_t h) noexcept nogil:
    h ^= h >> 33
    h *= 0xFF51AFD7ED558CCDULL
    h ^= h >> 33
    h *= 0xC4CEB9FE1A85EC53ULL
    return h ^ (h >> 33)


cdef inline uint64_t end_hash(const uint8_t *address, uint16_t port, uint64_t seed) noexcept nogil:
    cdef uint64_t low, high
    memcpy(&low, address, 8)
    memcpy(&high, address + 8, 8)
    return mix(mix(low ^ seed) + high + port * 0x9E3779B97F4A7C15ULL)


cdef class FlowTable:
    """Open addressing; a slot holds the upper half of the hash and the flow's number plus one, 0 where it is free.

    The seed is drawn anew for every pass, so that nobody can craft flows that collide. It changes no result.
    """

    cdef Flow *flows
    cdef uint32_t count, room
    cdef uint64_t *slots
    cdef uint64_t mask, seed

    def __cinit__(self):
        self.seed = int.from_bytes(os.urandom(8), "little")
        self.room = 1024
        self.mask = 4095
        self.flows = <Flow *>malloc(self.room * sizeof(Flow))
        self.slots = <uint64_t *>calloc(self.mask + 1, sizeof(uint64_t))
        if self.flows == NULL or self.slots == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.flows)
        free(self.slots)

    cdef inline uint64_t hash_of(self, const Flow *key) noexcept nogil:
        """The same for both directions."""
        return mix(end_hash(key.source, key.source_port, self.seed)
                   + end_hash(key.destination, key.destination_port, self.seed) + key.protocol)

    cdef int assign(self, Row *row, Flow *key) except -1:
        """Finds the row's flow in either direction, or makes it."""
        cdef uint64_t h = self.hash_of(key)
        cdef uint64_t slot = h & self.mask, entry
        cdef Flow *flow
        while True:
            entry = self.slots[slot]
            if entry == 0:
                break
            if entry >> 32 == h >> 32:
                flow = self.flows + <uint32_t>(entry - 1)
                if memcmp(flow, key, sizeof(Flow)) == 0:
                    row.flow, row.direction = <int32_t>(entry - 1), 0
                    return 0
                if (flow.family == key.family and flow.protocol == key.protocol
                        and flow.source_port == key.destination_port and flow.destination_port == key.source_port
                        and memcmp(flow.source, key.destination, 16) == 0
                        and memcmp(flow.destination, key.source, 16) == 0):
                    row.flow, row.direction = <int32_t>(entry - 1), 1
                    return 0
            slot = (slot + 1) & self.mask
        if self.count == self.room:
            self.grow_flows()
        self.flows[self.count] = key[0]
        row.flow, row.direction = <int32_t>self.count, 0
        self.count += 1
        self.slots[slot] = (h >> 32 << 32) | self.count
        if self.count * 2ULL > self.mask:
            self.grow_slots()
        return 0

    cdef int grow_flows(self) except -1:
        cdef Flow *flows = <Flow *>realloc(self.flows, self.room * 2 * sizeof(Flow))
        if flows == NULL:
            raise MemoryError
        self.flows = flows
        self.room *= 2
        return 0

    cdef int grow_slots(self) except -1:
        cdef uint64_t mask = self.mask * 2 + 1, slot, h
        cdef uint32_t i
        cdef Flow *flow
        cdef uint64_t *slots = <uint64_t *>calloc(mask + 1, sizeof(uint64_t))
        if slots == NULL:
            raise MemoryError
        for i in range(self.count):
            flow = self.flows + i
            h = self.hash_of(flow)
            slot = h & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = (h >> 32 << 32) | (i + 1)
        free(self.slots)
        self.slots, self.mask = slots, mask
        return 0

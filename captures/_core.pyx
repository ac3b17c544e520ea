# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled pass: the same rows, flows and names as `captures.reference`, byte for byte.

It reads plain records of plain frames by itself. Whatever is odd (another block, a tunnel, a fragment, a length that
does not fit) goes to the walk and to `captures.decode`, one record or one frame at a time, so that there is one
opinion about it. Every read is preceded by a check against the end of the frame.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

import os

import numpy as np

from captures.blocks import PcapngWalk
from captures.columns import COLUMNS, Columns, Flows
from captures.decode import decode
from captures.marks import METHODS, name_in, printable

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char *v, Py_ssize_t length)

include "_core_rows.pxi"
include "_core_names.pxi"
include "_core_flows.pxi"
include "_core_decode.pxi"


# One interface of a pcapng file; unit_ns is 0 where its clock is not plain.
cdef struct Port:
    int32_t link_type
    int64_t unit_ns


cdef class Pass:
    """Takes frames from a walk, keeps rows, flows and names; see `captures.reference.Pass`."""

    cdef object _walk
    cdef dict _names
    cdef dict _columns
    cdef object _chunk
    cdef Row *_rows
    cdef Py_ssize_t _row
    cdef Py_ssize_t _before
    cdef FlowTable _flows
    cdef Port *_ports
    cdef Py_ssize_t _port_count, _port_room, _first_port
    cdef bint _is_pcap, _is_pcapng, _little
    cdef int _header_bytes, _link_type
    cdef int64_t _unit_ns

    def __cinit__(self, walk):
        cdef uint8_t[::1] memory
        self._walk = walk
        self._names = {}
        self._columns = {name: np.zeros(0, dtype=kind) for name, kind in COLUMNS.items()}
        self._chunk = np.empty(CHUNK_ROWS * sizeof(Row), dtype=np.uint8)
        memory = self._chunk
        self._rows = <Row *>&memory[0]
        self._flows = FlowTable()
        self._is_pcap = False
        self._is_pcapng = isinstance(walk, PcapngWalk)

    def __dealloc__(self):
        free(self._ports)

    def __len__(self):
        return self._before + self._row

    def feed(self, const uint8_t[::1] block, int64_t base):
        """Reads whole records from a block; see `captures.reference.Pass.feed`."""
        cdef Py_ssize_t at = 0, following, end = block.shape[0]
        cdef const uint8_t *p
        if end == 0:
            return 0
        p = &block[0]
        view = memoryview(block)
        while True:
            if self._is_pcap:
                following = self._pcap_records(p, at, end, base)
            elif self._is_pcapng:
                following = self._packet_blocks(p, at, end, base)
            else:
                following = at
            at = following
            following = self._walk.step(view, at, base, self)
            self._learn()
            if following == at:
                return at
            at = following

    cdef int _learn(self) except -1:
        """What a step of the walk may have changed: byte order, layout, interfaces."""
        cdef Py_ssize_t room
        cdef Port *ports
        walk = self._walk
        self._little = walk.order == "<"
        if not self._is_pcapng:
            self._link_type = walk.link_type
            self._header_bytes = walk.layout.record_header_bytes
            self._unit_ns = walk.layout.unit_ns
            self._is_pcap = walk.link_type >= 0 and not (walk.swaps_always or walk.swaps_perhaps)
            return 0
        self._first_port = walk.first_of_section
        states = walk.states
        while self._port_count < len(states):
            if self._port_count == self._port_room:
                room = max(16, self._port_room * 2)
                ports = <Port *>realloc(self._ports, room * sizeof(Port))
                if ports == NULL:
                    raise MemoryError
                self._ports, self._port_room = ports, room
            state = states[self._port_count]
            self._ports[self._port_count].link_type = state.link_type
            self._ports[self._port_count].unit_ns = state.unit_ns
            self._port_count += 1
        return 0

    cdef Py_ssize_t _pcap_records(self, const uint8_t *p, Py_ssize_t at, Py_ssize_t end, int64_t base) except -1:
        """Every whole plain record from ``at`` on; stops at the first that the walk must look at."""
        cdef Py_ssize_t start
        cdef uint32_t captured, wire
        cdef bint little = self._little
        cdef int64_t time_ns
        while at + self._header_bytes <= end:
            captured = u32(p + at + 8, little)
            wire = u32(p + at + 12, little)
            start = at + self._header_bytes
            if captured > LONGEST_FRAME or start + captured > end:
                break
            time_ns = <int64_t>u32(p + at, little) * 1000000000 + <int64_t>u32(p + at + 4, little) * self._unit_ns
            self._add(p + start, captured, time_ns, base + start, max(captured, wire), 0, self._link_type)
            at = start + captured
        return at

    cdef Py_ssize_t _packet_blocks(self, const uint8_t *p, Py_ssize_t at, Py_ssize_t end, int64_t base) except -1:
        """Every whole enhanced packet block from ``at`` on; stops at the first block that the walk must look at."""
        cdef Py_ssize_t start, port, option
        cdef uint32_t length, captured, wire, size
        cdef uint64_t units
        cdef bint little = self._little
        while at + 32 <= end:
            length = u32(p + at + 4, little)
            if u32(p + at, little) != 6 or length < 32 or length > LONGEST_BLOCK or length & 3 or at + length > end:
                break
            port = self._first_port + <Py_ssize_t>u32(p + at + 8, little)
            captured = u32(p + at + 20, little)
            if u32(p + at + length - 4, little) != length or port >= self._port_count:
                break
            start = at + 28
            if captured > LONGEST_FRAME or captured > length - 32 or self._ports[port].unit_ns == 0:
                break
            units = <uint64_t>u32(p + at + 12, little) << 32 | u32(p + at + 16, little)
            if units > 0x7FFFFFFFFFFFFFFFULL // <uint64_t>self._ports[port].unit_ns:
                break
            option = start + ((captured + 3) & ~<uint32_t>3)
            if self._counts_losses(p, option, at + length - 4, little):
                break
            wire = u32(p + at + 24, little)
            self._add(p + start, captured, <int64_t>units * self._ports[port].unit_ns, base + start,
                      max(captured, wire), <uint16_t>port, self._ports[port].link_type)
            at += length
        return at

    cdef bint _counts_losses(self, const uint8_t *p, Py_ssize_t at, Py_ssize_t end, bint little) noexcept:
        """Whether one of the options is epb_dropcount, which the walk keeps count of."""
        cdef uint16_t code
        while at + 4 <= end:
            code = u16(p + at, little)
            if code == 4:
                return True
            if code == 0:
                return False
            at += 4 + ((u16(p + at + 2, little) + 3) & ~3)
        return False

    def add(self, bytes frame, int64_t time_ns, int64_t offset, uint32_t wire_bytes, uint16_t interface, int link_type):
        """One frame from the walk."""
        self._add(frame, len(frame), time_ns, offset, wire_bytes, interface, link_type)

    cdef int _add(self, const uint8_t *p, uint32_t n, int64_t time_ns, int64_t offset, uint32_t wire,
                  uint16_t interface, int link_type) except -1:
        cdef Row *row
        cdef Flow key
        cdef uint32_t captured
        if self._row == CHUNK_ROWS:
            self._keep(CHUNK_ROWS)
        row = self._rows + self._row
        memset(row, 0, sizeof(Row))
        row.time_ns = time_ns
        row.offset = offset
        row.captured_bytes = n
        row.wire_bytes = wire
        row.interface = interface
        row.flow = row.name = -1
        if not plain(row, &key, p, n, wire, link_type):
            self._careful(row, p, n, wire, link_type)
        elif row.flow == 0:
            self._flows.assign(row, &key)
            if row.mark == TLS_HELLO or row.mark == HTTP_REQUEST or row.mark == DNS_QUERY or row.mark == DNS_ANSWER:
                captured = min(row.payload_bytes, n - row.payload_offset)
                self._assign_name(row, p + row.payload_offset, captured)
        self._row += 1
        return 0

    cdef int _keep(self, Py_ssize_t rows) except -1:
        """Moves the rows at hand to the columns, which grow in place (a large realloc moves no bytes)."""
        table = self._chunk.view(_ROW)[:rows]
        for name, column in self._columns.items():
            column.resize(self._before + rows, refcheck=False)
            column[self._before:] = table[name]
        self._before += rows
        self._row = 0
        return 0

    cdef int _careful(self, Row *row, const uint8_t *p, uint32_t n, uint32_t wire, int link_type) except -1:
        """The frame through `captures.decode`."""
        cdef Flow key
        cdef bytes source, destination
        decoded = decode(PyBytes_FromStringAndSize(<const char *>p, n), link_type, wire)
        (row.l3_offset, row.l4_offset, row.payload_offset, row.payload_bytes, row.family, row.protocol, row.ttl,
         row.ip_id, row.ip_flags, row.dscp, row.seq, row.ack, row.tcp_flags, row.window, row.tsval, row.tsecr,
         row.icmp, row.mark, row.state) = decoded[:19]
        row.flow = -1
        row.direction = 0
        row.name = -1
        if decoded.flow is not None:
            key.family, key.protocol, source, destination, key.source_port, key.destination_port = decoded.flow
            memcpy(key.source, <const uint8_t *>source, 16)
            memcpy(key.destination, <const uint8_t *>destination, 16)
            self._flows.assign(row, &key)
        if decoded.name is not None:
            row.name = self._names.setdefault(decoded.name, len(self._names))
        return 0

    cdef int _assign_name(self, Row *row, const uint8_t *p, uint32_t captured) except -1:
        cdef uint8_t name[320]
        cdef int length
        cdef bint complete = True
        if row.mark == TLS_HELLO:
            length = server_name(p, captured, name)
        elif row.mark == HTTP_REQUEST:
            length = host(p, captured, name, &complete)
        else:
            length = question_name(p, captured, name)
            complete = captured == row.payload_bytes
        if length > 0:
            found = PyBytes_FromStringAndSize(<const char *>name, length)
            row.state |= WHOLE_NAME if complete else 0
        elif length == 0:
            return 0
        else:
            payload = PyBytes_FromStringAndSize(<const char *>p, captured)
            found, whole = name_in(payload, row.mark, whole=captured == row.payload_bytes)
            if found is None:
                return 0
            row.state |= <uint8_t>whole
        row.name = self._names.setdefault(found, len(self._names))
        return 0

    def columns(self):
        """The columns filled so far; nothing may be added afterwards."""
        self._keep(self._row)
        return Columns(**self._columns)

    def flows(self):
        """The flows seen so far."""
        table = np.frombuffer(
            PyBytes_FromStringAndSize(<const char *>self._flows.flows, self._flows.count * sizeof(Flow)), dtype=_FLOW
        )
        return Flows(
            family=table["family"].copy(),
            protocol=table["protocol"].copy(),
            address_a=table["source"].copy(),
            address_b=table["destination"].copy(),
            port_a=table["source_port"].copy(),
            port_b=table["destination_port"].copy(),
        )

    def names(self):
        """The names, escaped."""
        return tuple(printable(name) for name in self._names)

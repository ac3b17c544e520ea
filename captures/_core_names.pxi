"""What a payload begins with and which name it shows; see `captures.marks`, whose answers these must equal."""

# The methods, joined, each behind its length: plain bytes that the loop below walks.
cdef bytes _METHODS = b"".join(bytes((len(method),)) + method for method in METHODS)
cdef const uint8_t *methods = _METHODS
cdef int methods_bytes = len(_METHODS)


cdef int mark_tcp(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    cdef uint8_t first
    cdef int record_bytes, at
    if n < 4:
        return 0
    first = p[0]
    if 20 <= first <= 23:
        if n < 5 or p[1] != 3 or p[2] > 4:
            return 0
        record_bytes = be16(p + 3)
        if record_bytes == 0 or record_bytes > LONGEST_TLS_RECORD:
            return 0
        if first == 21:
            return TLS_ALERT
        if first != 22:
            return TLS_OTHER
        if n < 6 or p[5] != 1 or (n > 6 and p[6] > 1) or (n > 9 and p[9] != 3):
            return TLS_HANDSHAKE
        return TLS_HELLO
    if n >= 5 and memcmp(p, b"HTTP/", 5) == 0:
        return HTTP_RESPONSE
    if 67 <= first <= 85:
        at = 0
        while at < methods_bytes:
            if n >= methods[at] and memcmp(p, methods + at + 1, methods[at]) == 0:
                return HTTP_REQUEST
            at += 1 + methods[at]
    return 0


cdef int mark_udp(const uint8_t *p, Py_ssize_t n, bint dns_port) noexcept nogil:
    if dns_port:
        if n < 12:
            return 0
        return DNS_ANSWER if p[2] & 0x80 else DNS_QUERY
    if n < 7 or p[0] & 0xC0 != 0xC0 or p[5] > 20 or be32(p + 1) == 0:
        return 0
    return QUIC_LONG


cdef int tidy(const uint8_t *p, Py_ssize_t n, uint8_t *name) noexcept nogil:
    """The name in lower case without one final dot; -1 where the reference must decide."""
    cdef Py_ssize_t i
    if n and p[n - 1] == 46:
        n -= 1
    if n <= 0 or n > LONGEST_NAME:
        return -1
    for i in range(n):
        name[i] = p[i] + 32 if 65 <= p[i] <= 90 else p[i]
    return <int>n


# The three finders return the length of the name, 0 for none, -1 where the reference must decide.
cdef int server_name(const uint8_t *p, Py_ssize_t n, uint8_t *name) noexcept nogil:
    cdef Py_ssize_t end, stop, at, size
    cdef int kind
    if n < 9:
        return -1
    end = 9 + (<Py_ssize_t>p[6] << 16 | be16(p + 7))
    if end > 5 + be16(p + 3):
        return -1
    if end > n:
        return 0
    at = 43
    if at + 1 > end:
        return -1
    at += 1 + p[at]
    if at + 2 > end:
        return -1
    at += 2 + be16(p + at)
    if at + 1 > end:
        return -1
    at += 1 + p[at]
    if at + 2 > end:
        return -1
    stop = at + 2 + be16(p + at)
    if stop > end:
        return -1
    at += 2
    while at + 4 <= stop:
        kind = be16(p + at)
        size = be16(p + at + 2)
        at += 4
        if at + size > stop:
            return -1
        if kind == 0:
            if size < 5 or p[at + 2] != 0 or be16(p + at + 3) > size - 5:
                return -1
            return tidy(p + at + 5, be16(p + at + 3), name)
        at += size
    return 0


cdef int question_name(const uint8_t *p, Py_ssize_t n, uint8_t *name) noexcept nogil:
    cdef Py_ssize_t at = 12, i
    cdef int size, length = 0
    if n < 13 or be16(p + 4) == 0:
        return -1
    while at < n:
        size = p[at]
        at += 1
        if size == 0:
            return length - 1 if length else -1
        if size > 63 or at + size > n or at + size - 12 > LONGEST_NAME:
            return -1
        for i in range(at, at + size):
            if p[i] == 46:
                return -1
            name[length] = p[i] + 32 if 65 <= p[i] <= 90 else p[i]
            length += 1
        name[length] = 46
        length += 1
        at += size
    return -1


cdef int host(const uint8_t *p, Py_ssize_t n, uint8_t *name, bint *complete) noexcept nogil:
    cdef Py_ssize_t at = 0, end, line_end, first, last, digits
    cdef const uint8_t *newline
    cdef int length = 0
    complete[0] = False
    while at < n:
        newline = <const uint8_t *>memchr(p + at, 10, n - at)
        if newline == NULL:
            break
        end = newline - p
        line_end = end - 1 if end > at and p[end - 1] == 13 else end
        if line_end == at and at:
            complete[0] = True
            return length
        if length == 0 and at and end - at >= 5 and p[at + 4] == 58 and (p[at] | 32) == 104 and \
                (p[at + 1] | 32) == 111 and (p[at + 2] | 32) == 115 and (p[at + 3] | 32) == 116:
            first, last = at + 5, line_end
            while first < last and (p[first] == 32 or p[first] == 9):
                first += 1
            while last > first and (p[last - 1] == 32 or p[last - 1] == 9):
                last -= 1
            digits = last
            while digits > first and 48 <= p[digits - 1] <= 57:
                digits -= 1
            if digits > first and p[digits - 1] == 58:
                last = digits - 1
            length = tidy(p + first, last - first, name)
            if length < 0:
                return -1
        at = end + 1
    return length

"""One HTTP/1.1 answer from bytes, as lenient as browsers and with a limit on everything.

No network here: bytes go in as they come, and the answer says when it is done. Broken heads are read as far
as they make sense; a body that ends before its declared end is kept and marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MAX_HEAD_BYTES = 256 * 1024
"""Of one answer's status line and headers, interim answers included; policies of 30 KB exist."""
MAX_LINE_BYTES = 4 * 1024
"""Of a chunk's size with its extensions, and of a trailer."""

_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3,9})(?!\d)")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\r?", re.DOTALL)
_CONTENT_LENGTH = re.compile(rb"\d{1,15}")

Fields = list[tuple[bytes, bytes]]


class ParseError(Exception):
    """Raised for an answer that is not HTTP, or whose head is longer than MAX_HEAD_BYTES."""


class Answer:
    """An answer while it comes in, and what it was when `is_done`.

    `limit` tells from the head how many bytes of the body to read; 0 for none.
    """

    def __init__(self, limit: Callable[[Answer], int]) -> None:
        self.status = 0
        """0 until the head is complete."""
        self.fields: Fields = []
        """Header names and values as sent, in order."""
        self.is_done = False
        self.is_stopped = False
        """Cut at our limit."""
        self.is_short = False
        """Ended, or broke, before its declared end."""
        self.leaves_open = False
        """The connection can carry another request."""
        self._limit = limit
        self._parts: list[bytes] = []
        self._room = 0
        self._left = 0
        """Bytes to come of the body, or of its chunk."""
        self._received = b""
        self._head_bytes = 0
        self._next: Callable[[Answer], bool] = Answer._read_head
        """Reads one part of what was received; False when it needs more. No bound method: an answer that
        refers to itself keeps its request, and the site's pages with it, until the garbage collector looks."""

    @property
    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def field(self, name: bytes) -> bytes:
        """The last value of a header in lower case, empty when it was not sent; `name` is lower case, too."""
        return next((v.lower() for n, v in reversed(self.fields) if n.lower() == name), b"")

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises ParseError."""
        self._received = self._received + data if self._received else data
        while not self.is_done and self._next(self):
            pass

    def stop(self) -> None:
        """Take no more; what came so far is the answer."""
        self.is_done = self.is_stopped = True
        self.leaves_open = False

    def end(self, *, in_order: bool) -> None:
        """The connection has ended; `in_order` unless it was reset."""
        if self.is_done or not self.status:
            return
        until_closed = self._next == Answer._read_until_closed
        self._finish(is_short=not (in_order and until_closed), leaves_open=False)

    # -- head ------------------------------------------------------------------------------------------------

    def _read_head(self) -> bool:
        received = self._received.lstrip(b"\r\n")
        end = _HEAD_END.search(received)
        if self._head_bytes + (end.end() if end else len(received)) > MAX_HEAD_BYTES:
            raise ParseError(f"response head over {MAX_HEAD_BYTES} bytes")
        if not received.startswith(b"HTTP/"[: len(received)]):
            raise ParseError("not an HTTP answer")
        if end is None:
            self._received = received
            return False
        head, self._received = received[: end.start()], received[end.end() :]
        self._head_bytes += end.end()
        self._take_head(head)
        return True

    def _take_head(self, head: bytes) -> None:
        first, *lines = head.split(b"\n")
        match = _STATUS_LINE.match(first)
        if match is None:
            raise ParseError("no status in the status line")
        status = int(match[1])
        if 100 <= status < 200 and status != 101:
            return  # interim: the answer itself is still to come
        self.status, self.fields = status, _fields_in(lines)
        self._begin_body(keeps_alive=first.startswith(b"HTTP/1.1") and self.field(b"connection") != b"close")

    def _begin_body(self, *, keeps_alive: bool) -> None:
        self.leaves_open = keeps_alive
        length = self.field(b"content-length")
        self._room = self._limit(self)
        if self.status in (101, 204, 304):
            self._finish(leaves_open=keeps_alive and self.status != 101)
        elif b"chunked" in self.field(b"transfer-encoding"):
            self._next = Answer._read_size
        elif _CONTENT_LENGTH.fullmatch(length):
            self._left, self._next = int(length), Answer._read_length
        else:
            self._next = Answer._read_until_closed
        if not self.is_done and self._room == 0:
            self.stop()

    # -- body ------------------------------------------------------------------------------------------------

    def _read_until_closed(self) -> bool:
        self.leaves_open = False
        self._keep(self._received)
        self._received = b""
        return False

    def _read_length(self) -> bool:
        self._take_left()
        if not self._left and not self.is_done:
            self._finish(leaves_open=self.leaves_open and not self._received)
        return False

    def _read_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            self._finish(is_short=True, leaves_open=False)
            return False
        self._left = int(size[1], 16)
        self._next = Answer._read_chunk if self._left else Answer._read_trailer
        return True

    def _read_chunk(self) -> bool:
        self._take_left()
        if self._left:
            return False
        self._next = Answer._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        line = self._line()
        if line is None:
            return False
        self._next = Answer._read_size
        if line.rstrip(b"\r"):
            self._finish(is_short=True, leaves_open=False)
        return True

    def _read_trailer(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line.rstrip(b"\r"):
            self._finish(leaves_open=self.leaves_open and not self._received)
        return True

    def _line(self) -> bytes | None:
        """The next line without its end; None while it is not complete, or when it is endless."""
        line, ended, rest = self._received.partition(b"\n")
        if ended:
            self._received = rest
            return line
        if len(line) > MAX_LINE_BYTES:
            self._finish(is_short=True, leaves_open=False)
        return None

    def _take_left(self) -> None:
        received = self._received
        if len(received) <= self._left:
            self._received = b""
        else:
            received, self._received = received[: self._left], received[self._left :]
        self._left -= len(received)
        self._keep(received)

    def _keep(self, data: bytes) -> None:
        if data:
            self._parts.append(data)
            self._room -= len(data)
            if self._room <= 0:
                self.stop()

    def _finish(self, *, leaves_open: bool, is_short: bool = False) -> None:
        self.is_done, self.is_short, self.leaves_open = True, is_short, leaves_open


def _fields_in(lines: list[bytes]) -> Fields:
    """Names and values; a line without a colon is skipped, a folded one joined to its header."""
    fields: Fields = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields[-1]
            fields[-1] = name, value + b" " + line.strip()
            continue
        name, colon, value = line.partition(b":")
        if colon and name.strip():
            fields.append((name.strip(), value.strip()))
    return fields

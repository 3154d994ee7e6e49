"""Files packed with gzip or xz, told by their first bytes: a name may be wrong, and standard input has none."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any, cast

UNPACKING_ERRORS = (EOFError, lzma.LZMAError, zlib.error, OSError)
"""What reading a broken or cut packed file raises; OSError also for one that cannot be read at all."""

_UNPACK: dict[bytes, Callable[[IO[bytes]], object]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


def unpacked(stream: IO[bytes]) -> IO[bytes]:
    """The stream, if it is not packed, or what it holds; reading may raise UNPACKING_ERRORS.

    What can be read from its start again is given back itself, there.
    """
    head = stream.read(max(map(len, _UNPACK)))
    if stream.seekable():
        stream.seek(-len(head), io.SEEK_CUR)
        whole = stream
    else:
        whole = cast(IO[bytes], io.BufferedReader(_Rejoined(head, cast(io.BufferedReader, stream))))
    unpack = next((unpack for magic, unpack in _UNPACK.items() if head.startswith(magic)), None)
    return cast(IO[bytes], unpack(whole)) if unpack else whole


class _Rejoined(io.RawIOBase):
    """A pipe whose first bytes have been looked at."""

    def __init__(self, head: bytes, rest: io.BufferedReader) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

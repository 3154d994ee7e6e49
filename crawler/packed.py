"""Files packed with gzip or xz, told by their first bytes: a name may be wrong, and standard input has none."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, cast

UNPACKING_ERRORS = (EOFError, lzma.LZMAError, zlib.error, OSError)
"""What reading a broken or cut packed file raises; OSError also for one that cannot be read at all."""

_UNPACK: dict[bytes, Callable[[IO[bytes]], object]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


def unpacked(stream: IO[bytes]) -> IO[bytes]:
    """The stream itself, if it is not packed, or what it holds; reading that may raise UNPACKING_ERRORS."""
    peekable = cast(io.BufferedReader, stream if hasattr(stream, "peek") else io.BufferedReader(stream))
    head = peekable.peek(6)
    unpack = next((unpack for magic, unpack in _UNPACK.items() if head.startswith(magic)), None)
    return cast(IO[bytes], unpack(peekable)) if unpack else peekable

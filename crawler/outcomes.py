"""What a failed request means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from scrapy.exceptions import DownloadTimeoutError

from fingerprints.model import Outcome

T = TypeVar("T")

DETAIL_CHARS = 160


class ConnectTimeoutError(DownloadTimeoutError):
    """Raised when no connection came about in its time: nobody is there, or a firewall drops the port."""


BY_CLASS_NAME = {
    "PrivateAddressError": (Outcome.REFUSED_PRIVATE_ADDRESS, "a private address"),
    "CannotResolveHostError": (Outcome.DNS_ERROR, "the name does not resolve"),
    "DNSLookupError": (Outcome.DNS_ERROR, "the name does not resolve"),
    "UnknownHostError": (Outcome.DNS_ERROR, "the name does not resolve"),
    "gaierror": (Outcome.DNS_ERROR, "the name does not resolve"),
    "ConnectTimeoutError": (Outcome.TIMEOUT, "no connection in time"),
    "DownloadTimeoutError": (Outcome.TIMEOUT, "no complete answer in time"),
    "TCPTimedOutError": (Outcome.TIMEOUT, "no connection in time"),
    "TimeoutError": (Outcome.TIMEOUT, "no complete answer in time"),
    "DownloadConnectionRefusedError": (Outcome.REFUSED, "connection refused"),
    "ConnectionRefusedError": (Outcome.REFUSED, "connection refused"),
    "NoRouteError": (Outcome.REFUSED, "no route to the host"),
    "ConnectBindError": (Outcome.INTERNAL_ERROR, "no free socket on this machine; raise `ulimit -n`"),
    "ConnectError": (Outcome.REFUSED, "no connection"),
    "CertificateError": (Outcome.TLS_ERROR, "certificate not valid"),
    "VerificationError": (Outcome.TLS_ERROR, "certificate not valid"),
    "SSLError": (Outcome.TLS_ERROR, "TLS handshake failed"),
    "RobotsDisallowedError": (Outcome.ROBOTS_DISALLOWED, "robots.txt"),
    "ResponseDataLossError": (Outcome.HTTP_ERROR, "the answer was cut short"),
    "PotentialDataLoss": (Outcome.HTTP_ERROR, "the answer was cut short"),
    "ParseError": (Outcome.HTTP_ERROR, "not an HTTP answer"),
    "ConnectionLost": (Outcome.HTTP_ERROR, "connection closed without an answer"),
    "ConnectionDone": (Outcome.HTTP_ERROR, "connection closed without an answer"),
    "ResponseNeverReceived": (Outcome.HTTP_ERROR, "connection closed without an answer"),
    "DownloadCancelledError": (Outcome.HTTP_ERROR, "the answer is too large"),
    "DownloadFailedError": (Outcome.HTTP_ERROR, "no usable answer"),
    "ResponseFailed": (Outcome.HTTP_ERROR, "no usable answer"),
}  # fmt: skip
"""Class names rather than classes: Scrapy and Twisted each have their own, and move them between versions."""

_TLS_WORDS = re.compile(r"\b(?:ssl|tls|certificate|handshake|unexpected eof while reading)\b", re.IGNORECASE)
_ROBOTS_WORDS = re.compile(r"robots\.txt", re.IGNORECASE)

_FURTHEST = (
    Outcome.HTTP_ERROR,
    Outcome.TIMEOUT,
    Outcome.TLS_ERROR,
    Outcome.REFUSED,
    Outcome.REFUSED_PRIVATE_ADDRESS,
    Outcome.DNS_ERROR,
)
"""Failures from the one that got furthest to the one that got nowhere."""


def failure_outcome(error: BaseException) -> tuple[Outcome, str]:
    """The outcome of a request that got no response, and one clause on why.

    Looks through the wrappers of Scrapy and Twisted to what really happened. Anything unexpected is
    `internal_error` with its class and message.
    """
    chain = list(causes(error))
    for cause in chain:
        if _is_tls(cause):
            return Outcome.TLS_ERROR, _detail("TLS handshake failed", cause)
        if type(cause).__name__ == "IgnoreRequest" and _ROBOTS_WORDS.search(str(cause)):
            return Outcome.ROBOTS_DISALLOWED, "robots.txt"
    # The innermost known cause is the most precise; the outer ones only say that the download failed.
    for cause in reversed(chain):
        known = _known(cause)
        if known is not None:
            outcome, reason = known
            return outcome, str(cause) if outcome is Outcome.REFUSED_PRIVATE_ADDRESS else reason
    if type(error).__name__ == "IgnoreRequest":
        return Outcome.HTTP_ERROR, _detail("answer not usable", error)
    return Outcome.INTERNAL_ERROR, _detail(type(error).__name__, error)


def furthest(failures: Iterable[T], key: Callable[[T], Outcome]) -> T:
    """The failure that got furthest, the first of equals: a refused connection says more than a dead name.

    Raises ValueError when there is none.
    """
    return min(failures, key=lambda failure: _rank(key(failure)))


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first; each once."""
    pending, seen = [error], set()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if current.__cause__ is not None:
            pending.append(current.__cause__)
        # Twisted's ResponseFailed holds the failures it stands for.
        reasons = getattr(current, "reasons", None)
        if isinstance(reasons, (list, tuple)):
            pending += [value for r in reasons if isinstance(value := getattr(r, "value", r), BaseException)]


def _known(error: BaseException) -> tuple[Outcome, str] | None:
    names = (cls.__name__ for cls in type(error).__mro__)
    return next((BY_CLASS_NAME[name] for name in names if name in BY_CLASS_NAME), None)


def _is_tls(error: BaseException) -> bool:
    module = type(error).__module__
    if module.startswith(("OpenSSL", "ssl", "service_identity")):
        return True
    return type(error).__name__ in ("ConnectError", "DownloadFailedError") and bool(
        _TLS_WORDS.search(str(error))
    )


def _rank(outcome: Outcome) -> int:
    return _FURTHEST.index(outcome) if outcome in _FURTHEST else -1


def _detail(reason: str, error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{reason}: {text}"[:DETAIL_CHARS].rstrip(": ")

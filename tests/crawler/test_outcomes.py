from __future__ import annotations

import ssl

import pytest
from OpenSSL import SSL
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from twisted.internet import error as internet
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from crawler.outcomes import failure_outcome, furthest
from crawler.resolver import PrivateAddressError
from fingerprints.model import Outcome


def caused(error, cause):
    error.__cause__ = cause
    return error


TLS_BROKEN = SSL.Error([("SSL routines", "", "unsupported protocol")])


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        (CannotResolveHostError("acme.com: NXDOMAIN"), Outcome.DNS_ERROR, "the name does not resolve"),
        (
            PrivateAddressError("acme.com leads to 10.0.0.1"),
            Outcome.REFUSED_PRIVATE_ADDRESS,
            "acme.com leads to 10.0.0.1",
        ),
        (DownloadTimeoutError("took longer"), Outcome.TIMEOUT, "no complete answer in time"),
        (internet.TCPTimedOutError(), Outcome.TIMEOUT, "no connection in time"),
        (TimeoutError(), Outcome.TIMEOUT, "no complete answer in time"),
        (DownloadConnectionRefusedError("111"), Outcome.REFUSED, "connection refused"),
        (ConnectionRefusedError(), Outcome.REFUSED, "connection refused"),
        (internet.NoRouteError(), Outcome.REFUSED, "no route to the host"),
        (
            internet.ConnectBindError(),
            Outcome.INTERNAL_ERROR,
            "no free socket on this machine; raise `ulimit -n`",
        ),
        (ssl.SSLCertVerificationError("expired"), Outcome.TLS_ERROR, None),
        (
            caused(DownloadFailedError("x"), ResponseFailed([Failure(TLS_BROKEN)])),
            Outcome.TLS_ERROR,
            "TLS handshake failed: [('SSL routines', '', 'unsupported protocol')]",
        ),
        (
            caused(DownloadFailedError("x"), ResponseFailed([Failure(internet.ConnectionLost())])),
            Outcome.HTTP_ERROR,
            "connection closed without an answer",
        ),
        (DownloadFailedError("odd"), Outcome.HTTP_ERROR, "no usable answer"),
        (DownloadCancelledError("larger than"), Outcome.HTTP_ERROR, "the answer is too large"),
        (ResponseDataLossError(), Outcome.HTTP_ERROR, "the answer was cut short"),
        (IgnoreRequest("Forbidden by robots.txt"), Outcome.ROBOTS_DISALLOWED, "robots.txt"),
        (IgnoreRequest("too deep"), Outcome.HTTP_ERROR, "answer not usable: too deep"),
        (
            ZeroDivisionError("division by zero"),
            Outcome.INTERNAL_ERROR,
            "ZeroDivisionError: division by zero",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_failure_has_its_outcome(error, outcome, detail):
    found = failure_outcome(error)
    assert found[0] is outcome
    assert detail is None or found[1] == detail


def test_circle_of_causes_ends():
    first, second = DownloadFailedError("a"), DownloadFailedError("b")
    first.__cause__, second.__cause__ = second, first
    assert failure_outcome(first) == (Outcome.HTTP_ERROR, "no usable answer")


def test_long_message_is_cut():
    assert len(failure_outcome(ValueError("x" * 1000))[1]) == 160


def test_failure_that_got_furthest_is_reported():
    failures = [Outcome.DNS_ERROR, Outcome.REFUSED, Outcome.TLS_ERROR, Outcome.REFUSED]
    assert furthest(failures, key=lambda outcome: outcome) is Outcome.TLS_ERROR

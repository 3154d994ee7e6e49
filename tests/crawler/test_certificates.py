from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.certificates import names_host, read_certificate
from tests.hostile import certificates
from tests.hostile.certificates import AUTHORITY
from tests.hostile.web import Certificate


def der(make: Certificate, folder: Path) -> bytes:
    """The certificate that the hostile web makes, as a server shows it."""
    make(folder)
    (path,) = folder.glob("*.pem")
    text = path.read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])


@pytest.mark.parametrize(
    ("make", "problems"),
    [
        (certificates.good, set()),
        (certificates.expired, {"tls_expired"}),
        (certificates.self_signed, {"tls_self_signed"}),
        (certificates.for_another_host, {"tls_wrong_host"}),
        (certificates.wrong_in_every_way, {"tls_expired", "tls_self_signed", "tls_wrong_host"}),
    ],
)
def test_what_a_browser_would_object_to_is_noted(
    make: Certificate, problems: set[str], tmp_path: Path
) -> None:
    assert read_certificate(der(make, tmp_path), "acme.test").problems == problems


def test_issuer_is_named(tmp_path: Path) -> None:
    assert read_certificate(der(certificates.good, tmp_path), "acme.test").issuer == AUTHORITY


def test_certificate_of_tomorrow_is_not_yet_valid(tmp_path: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=4000)
    found = read_certificate(der(certificates.good, tmp_path), "acme.test", long_ago)
    assert found.problems == {"tls_not_yet_valid"}


def test_rubbish_is_a_certificate_that_cannot_be_read() -> None:
    assert read_certificate(b"\x30\x03rubbish", "acme.test").problems == {"tls_unreadable"}


@pytest.mark.parametrize(
    ("name", "host", "is_named"),
    [
        ("acme.com", "acme.com", True),
        ("ACME.com", "acme.com.", True),
        ("*.acme.com", "www.acme.com", True),
        ("*.acme.com", "acme.com", False),
        ("*.acme.com", "a.b.acme.com", False),
        ("*.com", "acme.com", True),
        ("acme.com", "notacme.com", False),
        ("192.0.2.7", "192.0.2.7", True),
    ],
)
def test_name_in_a_certificate(name: str, host: str, is_named: bool) -> None:
    assert names_host([name], host) is is_named

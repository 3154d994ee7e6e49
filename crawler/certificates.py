"""What a site's TLS certificate says: who issued it, and why a browser would refuse it.

Pages behind a bad certificate are read all the same, and the problem is noted. Only a certificate for
another host casts doubt on the page itself: a server often answers for names it does not know with its
first site.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

EXPIRED = "tls_expired"
NOT_YET_VALID = "tls_not_yet_valid"
SELF_SIGNED = "tls_self_signed"
WRONG_HOST = "tls_wrong_host"
UNREADABLE = "tls_unreadable"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is kept of a certificate."""

    issuer: str
    """Organisation and name of the issuer, as `Let's Encrypt R11`; empty when it states none."""
    problems: frozenset[str] = frozenset()
    """Flags for the record. Whether a known authority signed it is not checked: no list of them is kept."""


def read_certificate(der: bytes, host: str, now: datetime | None = None) -> Certificate:
    """The certificate a server showed for the host."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Certificate(_named(certificate.issuer), frozenset(_problems(certificate, host, now)))
    except Exception:  # noqa: BLE001 - the library has a dozen errors for certificates that break the standard
        return Certificate("", frozenset({UNREADABLE}))


def names_host(names: Iterable[str], host: str) -> bool:
    """Whether one of the certificate's names is the host; `*` stands for one label (RFC 6125).

    >>> names_host(["*.acme.com"], "www.acme.com"), names_host(["*.acme.com"], "acme.com")
    (True, False)
    """
    host = host.rstrip(".").lower()
    wildcard = "*." + host.partition(".")[2]
    return any(name.lower() in (host, wildcard) for name in names)


def _problems(certificate: x509.Certificate, host: str, now: datetime | None) -> Iterator[str]:
    now = now or datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        yield EXPIRED
    if now < certificate.not_valid_before_utc:
        yield NOT_YET_VALID
    if certificate.issuer == certificate.subject:
        yield SELF_SIGNED
    if not names_host(_names(certificate), host):
        yield WRONG_HOST


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        stated = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return stated.get_values_for_type(x509.DNSName) + [
        str(address) for address in stated.get_values_for_type(x509.IPAddress)
    ]


def _named(name: x509.Name) -> str:
    kinds = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    stated = " ".join(str(part.value) for kind in kinds for part in name.get_attributes_for_oid(kind))
    return "".join(char for char in stated if char.isprintable())

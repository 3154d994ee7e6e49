"""Certificates for the hostile web: one authority of its own, and what it should never have signed."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY = "Hostile Web Authority"

_Key = ec.EllipticCurvePrivateKey


def good(folder: Path) -> ssl.SSLContext:
    """Signed by the authority for every name below `.test`, valid today."""
    return _context(folder, "good", ["*.test", "*.www.test"])


def expired(folder: Path) -> ssl.SSLContext:
    return _context(folder, "expired", ["*.test"], ended_days_ago=30)


def self_signed(folder: Path) -> ssl.SSLContext:
    return _context(folder, "self-signed", ["*.test"], self_signed=True)


def for_another_host(folder: Path) -> ssl.SSLContext:
    return _context(folder, "wrong-host", ["somebody-else.example"])


def wrong_in_every_way(folder: Path) -> ssl.SSLContext:
    return _context(folder, "bad", ["somebody-else.example"], ended_days_ago=30, self_signed=True)


def _context(
    folder: Path, name: str, hosts: list[str], *, ended_days_ago: int = -365, self_signed: bool = False
) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = key if self_signed else ec.generate_private_key(ec.SECP256R1())
    issuer = hosts[0] if self_signed else AUTHORITY
    path = folder / f"{name}.pem"
    path.write_bytes(_private(key) + _certificate(key, signer, hosts, issuer, ended_days_ago))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _certificate(key: _Key, signer: _Key, hosts: list[str], issuer: str, ended_days_ago: int) -> bytes:
    day = datetime.timedelta(days=1)
    end = datetime.datetime.now(datetime.UTC) - ended_days_ago * day
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - 730 * day)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: _Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

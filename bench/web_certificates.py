"""Certificates of a bench web, made while it runs: no key is ever stored with the project."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.web_answers import kind_of, number_in

NAMES_EACH = 50
"""Sites that share a certificate, each with and without `www.`."""


class Certificates:
    """TLS for every host: certificates of an authority of our own, each for 100 names, made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: dict[int, ssl.SSLContext] = {}

    def context(self) -> ssl.SSLContext:
        """The listener's; connections of hosts without https end in the handshake."""
        first = self._of(0)
        first.sni_callback = self._choose  # type: ignore[assignment]
        return first

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        number = number_in(name or "")
        if number is not None:
            if kind_of(number) == "plain_only":
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
            tls.context = self._of(number // NAMES_EACH)
        return None

    def _of(self, group: int) -> ssl.SSLContext:
        if group not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate(group))
            self._contexts[group] = context
        return self._contexts[group]

    def _certificate(self, group: int) -> Path:
        numbers = range(group * NAMES_EACH, (group + 1) * NAMES_EACH)
        names = [x509.DNSName(f"{prefix}s{number}.test") for number in numbers for prefix in ("", "www.")]
        today = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(f"s{numbers[0]}.test"))
            .issuer_name(_named("Bench Authority"))
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        path = self._folder / "bench.pem"
        path.write_bytes(
            self._key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(pem)
        )
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

"""Certificates of a test's own authority, right and wrong."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import warnings
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates for 127.0.0.1; `trusted` is the file to name in SSL_CERT_FILE."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self.trusted = place / "authority.pem"
        self.trusted.write_bytes(self._certificate(self._key, (-1, 1), ()).public_bytes(Encoding.PEM))

    def server(
        self,
        *,
        days: tuple[int, int] = (-1, 1),
        host: str = "127.0.0.1",
        newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
        asks: bool = False,
    ) -> ssl.SSLContext:
        """A server's side, whose certificate is valid between these days from now.

        Where it `asks`, only clients with a certificate of this authority are let in.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        pem = self._certificate(key, days, [name]).public_bytes(Encoding.PEM)
        pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self._place / "server.pem"
        file.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.trusted)
        with warnings.catch_warnings():
            # Python warns of what is wanted here: a version that is too old.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = newest
        if newest is ssl.TLSVersion.TLSv1:
            # It really would speak it: OpenSSL refuses by itself what is so weak.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context

    def client(self, name: str, *, password: bytes | None = None) -> tuple[Path, Path]:
        """A client's certificate, and its key in another file."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert_file, key_file = self._place / f"{name}.pem", self._place / f"{name}-key.pem"
        pem = self._certificate(key, (-1, 1), [x509.DNSName(name)]).public_bytes(Encoding.PEM)
        cert_file.write_bytes(pem)
        sealed = BestAvailableEncryption(password) if password is not None else NoEncryption()
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
        return cert_file, key_file

    def _certificate(
        self, key: ec.EllipticCurvePrivateKey, days: tuple[int, int], names: Sequence[x509.GeneralName]
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        start, end = (now + dt.timedelta(days=day) for day in days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name if not names else x509.Name([]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        return builder.sign(self._key, hashes.SHA256())

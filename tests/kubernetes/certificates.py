"""The keys of a cluster: one authority, one server, and the key that signs tokens of service accounts."""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID = datetime.timedelta(days=1)


class Authority:
    """Made anew for each cluster; `certificate` is what its clients trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("cluster")
        self.certificate = folder / "ca.crt"
        # As bare as those of some clusters, which Python's strict checks refuse since 3.13.
        built = _builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        _write(self.certificate, built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(self, addresses: Sequence[str]) -> tuple[Path, Path]:
        """Certificate and key of a server at those addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        built = _builder(_name("apiserver"), self._name, key.public_key()).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        certificate = self.folder / "server.crt"
        _write(certificate, built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return certificate, write_key(self.folder / "server.key", key)


def token_key(folder: Path) -> Path:
    """For the tokens of service accounts."""
    return write_key(folder / "tokens.key", ec.generate_private_key(ec.SECP256R1()))


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    _write(path, text)
    return path


def _write(path: Path, text: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(text)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
    )

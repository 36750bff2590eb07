"""Where the server is, and what every call to it has in common."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc

from autan._transport.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 7233
# What can be sent in a header as it is. Other projects are named in the requests only.
_PLAIN_PROJECT = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class TlsConfig:
    """How the connection is encrypted.

    Attributes:
        root_certificates: Certificates that are trusted, PEM; None = those of gRPC.
        certificate_chain: The client's own certificate, PEM, for mutual TLS.
        private_key: Key of that certificate, PEM.
        server_name: Name that the server's certificate must have, if not that of the address.
    """

    root_certificates: bytes | None = None
    certificate_chain: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate_chain is None) != (self.private_key is None):
            raise ValueError("certificate_chain and private_key must be given together")

    def credentials(self) -> grpc.ChannelCredentials:
        """Returns the credentials of a channel."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.root_certificates,
            private_key=self.private_key,
            certificate_chain=self.certificate_chain,
        )


@dataclass(frozen=True)
class Target:
    """An address that gRPC understands, and whether to encrypt."""

    address: str
    tls: TlsConfig | None


def parse_address(address: str, tls: TlsConfig | bool) -> Target:  # noqa: FBT001
    """Understands "host", "host:port", "http://host:port", "https://host:port", "unix:/path".

    Raises:
        ValueError: The address is empty or malformed, or contradicts `tls`.
    """
    config = tls if isinstance(tls, TlsConfig) else TlsConfig() if tls else None
    if not address or any(c.isspace() for c in address):
        raise ValueError(f"not an address: {address!r}")
    if not address.startswith(("http://", "https://")):
        # A scheme of gRPC (dns:, unix:, ipv6: …) or a port is there, or nothing but a host.
        bare = re.fullmatch(r"[^:/\[\]]+|\[[^\]]+\]", address)
        return Target(f"{address}:{DEFAULT_PORT}" if bare else address, config)
    parts = urlsplit(address)
    if parts.hostname is None or parts.path not in {"", "/"} or parts.query or parts.username:
        raise ValueError(f"an address has a scheme, a host and a port only: {address!r}")
    if parts.scheme == "http" and config is not None:
        raise ValueError(f"tls is asked for, but the address says http: {address!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.scheme == "https":
        return Target(f"{host}:{parts.port or 443}", config or TlsConfig())
    return Target(f"{host}:{parts.port or DEFAULT_PORT}", None)


@dataclass(frozen=True, kw_only=True)
class TransportOptions:
    """What every call of a client has in common."""

    target: Target
    project: str = ""
    token: str | None = field(default=None, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    identity: str = ""
    timeout: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise ValueError(f"timeout must be positive, not {self.timeout}")

    def call_metadata(self) -> tuple[tuple[str, str], ...]:
        """Returns the headers of every call."""
        headers = {key.lower(): value for key, value in self.metadata.items()}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        if self.identity:
            headers["autan-identity"] = self.identity
        if _PLAIN_PROJECT.fullmatch(self.project):
            # Lets a proxy route and authorise without reading the message.
            headers["autan-project"] = self.project
        return tuple(headers.items())

    def channel_options(self) -> list[tuple[str, int | str]]:
        """Returns the options of every channel."""
        options: list[tuple[str, int | str]] = [
            # Finds dead connections under a watch; more often, and servers would take offence.
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            # Channels to one server share a connection otherwise, and a stalled watch would hold up
            # the calls that go the same way.
            ("grpc.use_local_subchannel_pool", 1),
            # Retries are ours to decide: a service config from DNS must not add its own.
            ("grpc.service_config_disable_resolution", 1),
            # Tasks of workers come many in a message, each with an input of up to a MiB.
            ("grpc.max_receive_message_length", 64 * 1024 * 1024),
            # A server that restarts is found again within the attempts of a call.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 5_000),
        ]
        if self.target.tls is not None and self.target.tls.server_name is not None:
            options.append(("grpc.ssl_target_name_override", self.target.tls.server_name))
        return options

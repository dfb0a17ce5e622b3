"""The desk as a whole: its rooms, its door, and where it listens."""

from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.interfaces import IListeningPort

from smsd.desk.access.entrance import Entrance
from smsd.desk.premises import Premises
from smsd.desk.rooms.plan import Rooms
from smsd.desk.web.assets import Assets
from smsd.desk.web.departure import Departure
from smsd.desk.web.door import Door
from smsd.desk.web.rendering import Rendering
from smsd.desk.web.routing import RouteTable
from smsd.desk.web.site import DeskSite
from smsd.desk.web.streams import Streams
from smsd.desk.web.tls import DeskTls, TlsSite
from smsd.desk.web.words import load_words

__all__ = ["Desk"]

_STREAM_S = 300.0  # then a stream's visitor is asked anew who he is


class Desk:
    """The web desk of a daemon."""

    def __init__(self, premises: Premises) -> None:
        """Build the rooms.

        Raises:
            smsd.gateway.certificates.TlsFault: desk.tls names files that cannot be used.
            smsd.config.ConfigError: desk.oidc does.
        """
        self._premises = premises
        settings = premises.config.desk
        self.tls = (
            DeskTls(settings.tls, premises.clock.utc_us) if settings.tls is not None else None
        )
        words, assets, entrance = load_words(), Assets(), Entrance(premises)
        rendering = Rendering(words, assets, lambda: premises.law.policy.zone, premises.version)
        self._rooms = Rooms(premises, entrance, rendering, words)
        self.routes = RouteTable([*assets.routes(), *self._rooms.routes()])
        rendering.navigate(self.routes)
        self.door = Door(premises, entrance, self.routes, Departure(rendering), words)
        self._streams = Streams(premises.reactor, settings.streams_max, _STREAM_S)
        self._site = DeskSite(
            premises.reactor,
            self.door,
            self._streams,
            settings.body_bytes_max,
            settings.connections_max,
        )
        self._port: IListeningPort | None = None

    async def listen(self) -> None:
        """Open the desk.

        Raises:
            twisted.internet.error.CannotListenError: the address cannot be had.
        """
        host, _, port = self._premises.config.desk.listen.rpartition(":")
        kind: Any = TCP6ServerEndpoint if host.startswith("[") else TCP4ServerEndpoint
        endpoint = kind(self._premises.reactor, int(port), interface=host.strip("[]"))
        factory: Any = self._site
        if self.tls is not None:
            factory = TlsSite(self.tls, False, factory)
        self._port = await endpoint.listen(factory)

    def start(self) -> None:
        """Begin what the desk does without being asked."""
        self._rooms.start()

    @property
    def address(self) -> str:
        """host:port."""
        assert self._port is not None
        address: Any = self._port.getHost()
        return f"{address.host}:{address.port}"

    @property
    def certificate_expires_s(self) -> float | None:
        """When the certificate in use ends, Unix seconds; None: the desk is without TLS."""
        return self.tls.certificate_expires_s if self.tls is not None else None

    async def close(self) -> None:
        """Let nobody in any more, and end what the desk does."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
        self._streams.close()
        await self._rooms.stop()

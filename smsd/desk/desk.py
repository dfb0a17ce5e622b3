"""The desk as a whole: its rooms, its door, and where it listens."""

from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.interfaces import IListeningPort
from twisted.protocols.tls import TLSMemoryBIOFactory

from smsd.desk.access.entrance import Entrance
from smsd.desk.noting import Notes
from smsd.desk.premises import Premises
from smsd.desk.rooms.check import CheckRoom
from smsd.desk.rooms.health import HealthRoom
from smsd.desk.rooms.look_up import LookUpRoom
from smsd.desk.rooms.look_up_acts import LookUpActs
from smsd.desk.web.assets import Assets
from smsd.desk.web.departure import Departure
from smsd.desk.web.door import Door
from smsd.desk.web.rendering import Rendering
from smsd.desk.web.routing import RouteTable
from smsd.desk.web.site import DeskSite
from smsd.desk.web.streams import Streams
from smsd.desk.web.tls import DeskTls
from smsd.desk.web.words import load_words

__all__ = ["Desk"]

_STREAM_S = 300.0  # then a stream's visitor is asked anew who he is


class Desk:
    """The web desk of a daemon."""

    def __init__(self, premises: Premises) -> None:
        """Build the rooms.

        Raises:
            smsd.gateway.certificates.TlsFault: desk.tls names files that cannot be used.
        """
        self._premises = premises
        settings = premises.config.desk
        clock = premises.clock
        self.tls = DeskTls(settings.tls, clock.utc_us) if settings.tls is not None else None
        words, assets, entrance = load_words(), Assets(), Entrance()
        self._notes = notes = Notes(premises)
        look_up = LookUpRoom(premises, notes)
        rooms = (
            HealthRoom(premises),
            look_up,
            LookUpActs(premises, notes, look_up),
            CheckRoom(premises, notes),
        )
        self.routes = RouteTable(
            [*assets.routes(), *(route for room in rooms for route in room.routes())]
        )
        rendering = Rendering(words, assets, lambda: premises.law.policy.zone, premises.version)
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
            factory = TLSMemoryBIOFactory(self.tls, False, factory)
        self._port = await endpoint.listen(factory)
        self._notes.start()

    @property
    def address(self) -> str:
        """host:port."""
        assert self._port is not None
        address: Any = self._port.getHost()
        return f"{address.host}:{address.port}"

    async def close(self) -> None:
        """Let nobody in any more, and end the streams."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
        self._streams.close()
        self._notes.stop()

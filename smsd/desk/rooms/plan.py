"""The plan of the rooms: which there are, what they share, and what they do without being asked."""

from smsd.desk.access.entrance import Entrance
from smsd.desk.access.passwords import Passwords
from smsd.desk.access.sign_in import SignIn
from smsd.desk.noting import Notes
from smsd.desk.premises import Premises
from smsd.desk.rooms.audit import AuditRoom
from smsd.desk.rooms.check import CheckRoom
from smsd.desk.rooms.dashboard import DashboardRoom
from smsd.desk.rooms.health import HealthRoom
from smsd.desk.rooms.letters import LettersRoom
from smsd.desk.rooms.look_up import LookUpRoom
from smsd.desk.rooms.look_up_acts import LookUpActs
from smsd.desk.rooms.me import MeRoom
from smsd.desk.rooms.oidc import OidcRoom
from smsd.desk.rooms.people import PeopleRoom
from smsd.desk.rooms.policy import PolicyRoom
from smsd.desk.rooms.policy_proposals import ProposalsRoom
from smsd.desk.rooms.policy_propose import ProposeRoom
from smsd.desk.rooms.policy_tables import ToldPolicies
from smsd.desk.rooms.policy_told_findings import FindingsTeller
from smsd.desk.rooms.public_rules import PublicRulesRoom
from smsd.desk.rooms.sign_in import SignInRoom
from smsd.desk.rooms.smsc import SmscRoom
from smsd.desk.rooms.tokens import TokensRoom
from smsd.desk.study.covering import Covering
from smsd.desk.study.studies import Studies
from smsd.desk.timetable import Timetable
from smsd.desk.web.rendering import Rendering
from smsd.desk.web.route import Route
from smsd.desk.web.words import Words

__all__ = ["Rooms"]


class Rooms:
    """All rooms of a desk."""

    def __init__(
        self, premises: Premises, entrance: Entrance, rendering: Rendering, words: Words
    ) -> None:
        passwords = Passwords()
        sign_in = SignIn(premises, entrance, passwords)
        told = ToldPolicies(premises)
        self._studies, self._timetable = Studies(premises), Timetable(premises)
        self.dashboard = DashboardRoom(premises)
        self._notes = Notes(premises)
        look_up = LookUpRoom(premises, self._notes)
        self._rooms = (
            HealthRoom(premises),
            self.dashboard,
            look_up,
            LookUpActs(premises, self._notes, look_up),
            CheckRoom(premises, self._notes),
            PolicyRoom(premises, told, self._timetable, Covering(self._studies)),
            ProposeRoom(premises, self._studies),
            ProposalsRoom(
                premises,
                self._studies,
                self._timetable,
                FindingsTeller(premises, rendering),
            ),
            SmscRoom(premises),
            LettersRoom(premises),
            PublicRulesRoom(premises, told, rendering, words),
            SignInRoom(premises, entrance, sign_in),
            OidcRoom(premises, entrance),
            MeRoom(premises, sign_in),
            PeopleRoom(premises, passwords),
            TokensRoom(premises),
            AuditRoom(premises),
        )

    def routes(self) -> list[Route]:
        """Of every room."""
        return [route for room in self._rooms for route in room.routes()]

    def start(self) -> None:
        """Begin to keep history, study what is proposed, watch the time."""
        self.dashboard.start()
        self._studies.look()
        self._timetable.start()
        self._notes.start()

    async def stop(self) -> None:
        """End all that, and write what was not written yet."""
        self._notes.stop()
        self._timetable.stop()
        self._studies.stop()
        await self.dashboard.stop()

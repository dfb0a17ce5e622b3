"""What the rules of the policy in force cover: found out once for each, beside the daemon."""

from collections.abc import Mapping
from typing import Any

import structlog

from rules import CompiledPolicy
from smsd.desk.study.studies import Studies, StudyFailed
from smsd.desk.unattended import unattended

__all__ = ["Covering"]

_log = structlog.get_logger("smsd.study")


class Covering:
    """Keeps what is known of the policy that was asked about last."""

    def __init__(self, studies: Studies) -> None:
        self._studies = studies
        self._digest = ""
        self._known: Mapping[str, Any] | None = None

    def of(self, policy: CompiledPolicy) -> Mapping[str, Any] | None:
        """Its coverage; None: that is being found out, or could not be."""
        if policy.digest != self._digest:
            self._digest, self._known = policy.digest, None
            unattended(self._find_out(policy))
        return self._known

    async def _find_out(self, policy: CompiledPolicy) -> None:
        try:
            found = await self._studies.examine(policy.id, policy.source)
        except StudyFailed as fault:
            _log.warning("coverage_unknown", reason=str(fault))
            found, again = {}, True
        else:
            again = False
        if self._digest == policy.digest:  # else another came in force meanwhile
            self._known = found.get("coverage")
            self._digest = "" if again else self._digest

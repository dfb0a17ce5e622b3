"""What studies found, as pieces of pages: made beside the reactor, kept since it never changes."""

import json
from collections import OrderedDict
from typing import NamedTuple

from markupsafe import Markup

from smsd.desk.premises import Premises
from smsd.desk.rooms.policy_findings import Findings, findings_of
from smsd.desk.web.rendering import Rendering
from smsd.desk.web.visit import Visit
from storage import studies
from storage.studies import Study

__all__ = ["FindingsTeller", "ToldFindings"]

_KEPT_MAX = 8
"""A page of a large change has 200 kB."""


class ToldFindings(NamedTuple):
    """What a study found, and the same as a piece of a page; of one that failed without."""

    findings: Findings
    piece: Markup


class FindingsTeller:
    """Makes the pieces, once for each study, language and zone."""

    def __init__(self, premises: Premises, rendering: Rendering) -> None:
        self._premises = premises
        self._rendering = rendering
        self._kept: OrderedDict[tuple[int, str, str], ToldFindings] = OrderedDict()

    async def of(self, study: Study, visit: Visit) -> ToldFindings:
        """Those of a study that has ended."""
        key = study.id, visit.language, self._premises.law.policy.zone
        told = self._kept.get(key)
        if told is None:
            told = await self._premises.in_thread(self._tell, study.id, visit)
            self._kept[key] = told
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return told

    def _tell(self, study: int, visit: Visit) -> ToldFindings:
        findings = findings_of(
            json.loads(studies.findings(self._premises.url, study)), visit.language
        )
        if findings.fault:
            return ToldFindings(findings, Markup())
        values = {"findings": findings}
        page = self._rendering.page("policy_findings.html", visit, False, values)
        return ToldFindings(findings, Markup(page))  # noqa: S704 - Jinja has escaped it

"""What people of the desk may be; one may be several at once."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may see and do at the desk. All of them see the dashboard."""

    VIEWER = "viewer"  # the dashboard, without anything personal
    AGENT = "agent"  # looks conversations up, answers, grants by override, blocks
    POLICE = "police"  # checks a permit
    POLICY = "policy"  # proposes and activates policies
    AUDITOR = "auditor"  # reads the audit
    ADMIN = "admin"  # users, tokens, SMSCs, dead letters


class Scope(StrEnum):
    """What an API token is good for."""

    CHECK = "check"  # checks permits
    METRICS = "metrics"  # /metrics and /status.json

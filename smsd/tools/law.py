"""The policy that the daemon decides by now, for tools that stand beside it."""

import rules
from rules import CompiledPolicy, PolicyError
from smsd.config import Config
from smsd.tools.output import ToolRefused
from smsd.tools.policy import compiled
from storage import policies
from storage.sqlite import database_path
from storage.store import StoreError

__all__ = ["law_in_force"]


def law_in_force(config: Config) -> CompiledPolicy:
    """The newest activation; before the first, the file that config.toml names.

    Raises ToolRefused.
    """
    if not database_path(config.store.url).exists():
        return compiled(config.policy.file)
    try:
        active = policies.active(config.store.url)
        if active is None:
            return compiled(config.policy.file)
        source = policies.policy_source(config.store.url, active.digest)
        policy = rules.parse_policy(source, f"policy {active.digest[:12]}")
        return rules.compile_policy(policy, trial=False)
    except (StoreError, PolicyError) as fault:
        raise ToolRefused(str(fault)) from fault

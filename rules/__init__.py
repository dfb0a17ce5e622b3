"""The policy engine: SMS text and facts in, decision and reply out; pure."""

from rules.calendar import Calendar
from rules.compile import CompiledPolicy, Version, compile_policy, load_policy
from rules.decide import Block, Decision, Facts, HeldPermit, Quota, Verdict, decide
from rules.documents import Document, DocumentKind
from rules.grammar.document_grammar import Grammar
from rules.grammar.request import Command, NearMiss, PermitRequest, Reason, Unrecognised
from rules.policy import Policy, load, parse_policy
from rules.problems import PolicyError, Problem
from rules.replies import flood_text, late_text, render
from rules.trial import failures

__all__ = [
    "Block",
    "Calendar",
    "Command",
    "CompiledPolicy",
    "Decision",
    "Document",
    "DocumentKind",
    "Facts",
    "Grammar",
    "HeldPermit",
    "NearMiss",
    "PermitRequest",
    "Policy",
    "PolicyError",
    "Problem",
    "Quota",
    "Reason",
    "Unrecognised",
    "Verdict",
    "Version",
    "compile_policy",
    "decide",
    "failures",
    "flood_text",
    "late_text",
    "load",
    "load_policy",
    "parse_policy",
    "render",
]

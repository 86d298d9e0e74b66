"""How what agents are doing shows in their traffic: one row for each sign of each version.

A row was either `seen`, in the traffic of that version, or `read`, in the texts that it carries
with it, where the mode could not be driven without a person at a terminal. The first row of an
agent that fits wins; so what a call is for comes before who makes it: a review by a sub-agent is a
review. Rows stand from the telling to the general: fields and headers made for this, then the
first words of instructions, then the tools on offer. Rows of older versions stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from addon.rules.markers import Entered, Held, Instructed, Marker, Offered, Opened, Said, Sent, Told

type Phase = Literal["planning", "coding", "title", "compaction", "subagent", "review", "other"]
PHASES: tuple[Phase, ...] = get_args(Phase.__value__)


@dataclass(frozen=True)
class Signature:
    """How a phase of an agent shows."""

    phase: Phase
    version: str
    """The release that was watched."""
    known: Literal["seen", "read"]
    """Seen in its traffic, or read in the program."""
    marker: Marker


def _seen(phase: Phase, version: str, *markers: Marker) -> tuple[Signature, ...]:
    return tuple(Signature(phase, version, "seen", marker) for marker in markers)


def _read(phase: Phase, version: str, *markers: Marker) -> tuple[Signature, ...]:
    return tuple(Signature(phase, version, "read", marker) for marker in markers)


_BILLING = "system.x-anthropic-billing-header"
"""Claude Code's line for Anthropic's books, which the parser takes off the instructions."""
_CLASS = "x-claude-code-request-class"
_TYPE = "x-claude-code-agent-type"

SIGNATURES: dict[str, tuple[Signature, ...]] = {
    "codex": (
        *_seen("compaction", "0.169", Told("request_kind", "compaction")),
        *_seen("compaction", "0.169", Held("compaction_trigger")),
        *_read("compaction", "0.169", Said("You are performing a CONTEXT CHECKPOINT COMPACTION.")),
        *_seen("review", "0.169", Told("subagent_kind", "review")),
        *_seen("review", "0.169", Instructed("# Review guidelines:")),
        *_seen("subagent", "0.169", Told("thread_source", "subagent")),
        *_seen(
            "subagent",
            "0.169",
            Entered(("You are an agent in a team of agents",), ("You are `/root`, the primary",)),
        ),
        *_read(
            "planning",
            "0.169",
            Entered(
                ("<collaboration_mode># Plan Mode", "You are in **Plan Mode** until"),
                ("You are now in Default mode.",),
            ),
        ),
        *_seen("coding", "0.169", Told("request_kind", "turn")),
        *_seen("coding", "0.169", Instructed("You are Codex, ")),
    ),
    "claude-code": (
        *_seen("compaction", "2.1", Sent(_CLASS, "compaction")),
        *_seen(
            "compaction",
            "2.1",
            Said("Your task is to create a detailed summary of the conversation so far"),
        ),
        *_read(
            "compaction",
            "2.1",
            Said("Your task is to create a detailed summary of the RECENT portion"),
            Said("Your task is to create a detailed summary of this conversation."),
            Instructed("You are a helpful AI assistant tasked with summarizing conversations."),
        ),
        *_read("title", "2.1", Sent("x-claude-code-auxiliary-type", "generate_session_title")),
        *_read("title", "2.1", Instructed("You are naming a coding session")),
        *_seen("review", "2.1", Opened("You are reviewing for **")),
        *_read(
            "review",
            "2.1",
            Opened("You are a senior security engineer conducting a focused security review"),
        ),
        *_seen("planning", "2.1", Sent(_TYPE, "Plan")),
        *_seen(
            "planning",
            "2.1",
            Instructed("You are a software architect and planning specialist for Claude Code."),
        ),
        *_seen("subagent", "2.1", Sent(_CLASS, "subagent")),
        *_read("subagent", "2.1", Sent(_CLASS, "workflow")),
        *_seen("subagent", "2.1", Held(_BILLING, "cc_is_subagent=true")),
        *_seen("subagent", "2.1", Instructed("You are an agent for Claude Code,")),
        *_read("other", "2.1", Sent(_CLASS, "auxiliary")),
        *_seen(
            "planning",
            "2.1",
            Entered(
                ("Plan mode is active.", "Plan mode still active"),
                ("You have exited plan mode.",),
            ),
        ),
        *_seen("coding", "2.1", Sent(_CLASS, "main")),
        *_seen("coding", "2.1", Offered(frozenset(("Bash", "Edit", "Write")))),
    ),
    "opencode": (
        *_seen("title", "1.18", Instructed("You are a title generator.")),
        *_seen("compaction", "1.18", Instructed("You are a context summarization agent.")),
        *_seen("review", "1.18", Opened("You are a code reviewer. Your job is to review code")),
        *_seen("subagent", "1.18", Sent("x-parent-session-id")),
        *_read("subagent", "1.18", Instructed("You are a file search specialist.")),
        *_seen(
            "planning",
            "1.18",
            Entered(
                ("# Plan Mode - System Reminder", "Plan mode is active."),
                ("Your operational mode has changed from plan to build.",),
            ),
        ),
        *_seen("coding", "1.18", Offered(frozenset(("bash", "edit", "apply_patch")))),
    ),
    "aider": (
        *_seen(
            "compaction",
            "0.86",
            Instructed("*Briefly* summarize this partial conversation about programming."),
        ),
        *_seen(
            "title",
            "0.86",
            Instructed("You are an expert software engineer that generates concise, one-line Git"),
        ),
        *_seen("planning", "0.86", Instructed("Act as an expert architect engineer")),
        *_seen("planning", "0.86", Instructed("Act as an expert code analyst.")),
        *_seen("coding", "0.86", Instructed("Act as an expert software developer")),
    ),
}
"""By the agent's name, as `agent_name` gives it."""

ALSO_KNOWN_AS = {"litellm": "aider", "openai-python": "aider"}
"""What agents call themselves that leave their name to a library of theirs."""

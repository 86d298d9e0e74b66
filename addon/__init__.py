"""Detour: an unmodified AI agent's calls, answered by another provider."""

__version__ = "0.1.0"

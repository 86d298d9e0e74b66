"""Looks at all that has to be right on a machine, and says what to do about the rest.

One check a file. Each looks at a `Machine` and returns findings; none changes anything on it.
"""

from addon.doctor.checks import CHECKS, examine
from addon.doctor.finding import Finding, State
from addon.doctor.machine import Machine

__all__ = ["CHECKS", "Finding", "Machine", "State", "examine"]

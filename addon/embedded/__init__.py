"""A strict provider on a local port, for the demo and for all tests.

It knows nothing of the translation that it checks: it must never import `addon.formats` or
`addon.neutral`.
"""

from addon.embedded.connection import ReceivedRequest
from addon.embedded.provider import EmbeddedProvider

__all__ = ["EmbeddedProvider", "ReceivedRequest"]

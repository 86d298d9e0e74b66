"""WebSocket mode of `/v1/responses`, spoken to agents; providers are reached by HTTP all the same.

* `handshake`: whether and how an upgrade is granted
* `session`: one socket from there to its end, with `lanes` for who may speak when
* `framing`: bytes to messages and back; `messages`: what agents say; `events`: what they are told
"""

from addon.sockets.handshake import Handshake, shake_hands
from addon.sockets.session import Session, Terms

__all__ = ["Handshake", "Session", "Terms", "shake_hands"]

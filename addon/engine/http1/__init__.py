"""HTTP/1.1 as a client of providers speaks it: connections, and one call at a time on each.

The wire itself is parsed by `httptools` (llhttp, the parser of Node.js). What is here is what is
around it: whom to connect to, when a connection may serve again, and how to wait.
"""

from addon.engine.http1.answer import Answer
from addon.engine.http1.connection import Connection
from addon.engine.http1.dialling import Address, Choose, HttpProxy, dial, resolve

__all__ = ["Address", "Answer", "Choose", "Connection", "HttpProxy", "dial", "resolve"]

"""The state that OpenAI's Responses and Conversations keep between calls, kept here instead.

For providers that keep none. Does no input or output but through the vault that it is given.

* `history`: makes a request whole that leans on earlier ones, and remembers what came of it
* `archive`, `documents`: what is stored, and how; `items`: items of an input, byte for byte
* `errors`: what goes wrong, in OpenAI's words
"""

from addon.stateful.archive import Archive
from addon.stateful.errors import StateError
from addon.stateful.history import History, Turn

__all__ = ["Archive", "History", "StateError", "Turn"]

"""The state that OpenAI's Responses and Conversations keep between calls, kept here instead.

For providers that keep none. Does no input or output but through the vault that it is given.

* `history`: makes a request whole that leans on earlier ones, and remembers what came of it;
  `turns`: such a request; `items`: items of an input, byte for byte
* `archive`, `documents`: what is stored, and how; `final`: finds it in what an agent is sent
* `addresses`: what an agent can ask for by id; `responses`, `conversations`, `listing`,
  `replaying`: what it is told; `errors`: what goes wrong, in OpenAI's words
"""

from addon.stateful.archive import Archive
from addon.stateful.errors import StateError
from addon.stateful.history import History
from addon.stateful.turns import Turn

__all__ = ["Archive", "History", "StateError", "Turn"]

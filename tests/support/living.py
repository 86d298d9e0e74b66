"""What lives in the process: to see that nothing is kept of what is over."""

import gc
from collections.abc import Sequence


def living[Kind](*kinds: type[Kind], since: Sequence[Kind] = ()) -> list[Kind]:
    """Find the living objects of some classes.

    Args:
        kinds: The classes.
        since: What lived before. Other tests may have left it, or may still hold it; as it is held
            here, nothing new can have its address.
    """
    gc.collect()
    earlier = {id(thing) for thing in since}
    return [
        thing
        for thing in gc.get_objects()
        if issubclass(type(thing), kinds) and id(thing) not in earlier
    ]

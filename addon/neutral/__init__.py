"""The hub: one neutral model of requests, answers and streams that every wire format knows.

A format translates between its own bytes and these values; no format knows another format.
The values are immutable, hold no behaviour and import nothing but `msgspec`.

* `request`: what an agent asks (`Request`, `Message`, `Tool`, ...)
* `parts`: the pieces of a message (`TextPart`, `ToolCallPart`, ...)
* `response`: a whole answer (`Response`, `Usage`, `FinishReason`)
* `events`: a streamed answer, piece by piece; `grammar` says which order is legal
* `fold`: from a stream to a whole answer and back
* `losses`: what a translation could not keep
* `errors`: what went wrong, and whose fault it was
"""

from addon.neutral.billing import Billing, billing
from addon.neutral.errors import (
    ClientRequestError,
    DetourError,
    ErrorInfo,
    ErrorKind,
    ProviderResponseError,
    UnsupportedFeature,
)
from addon.neutral.events import (
    Event,
    PartEnd,
    PartKind,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
)
from addon.neutral.fold import Gathered, fold, gather, unfold
from addon.neutral.grammar import EventChecker, GrammarError
from addon.neutral.losses import Loss, LossAction, LossList
from addon.neutral.parts import (
    AudioPart,
    CacheBreakpoint,
    Citation,
    FilePart,
    FileReference,
    HostedCallPart,
    ImagePart,
    InlineMedia,
    MediaSource,
    NativePart,
    OpaqueState,
    Part,
    PlainText,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallKind,
    ToolCallPart,
    ToolResultPart,
    UrlMedia,
)
from addon.neutral.request import (
    CodeExecutionTool,
    Effort,
    Extra,
    HostedTool,
    LogprobsConfig,
    Message,
    NativeTool,
    ReasoningConfig,
    Recurring,
    Request,
    ResponseFormat,
    Role,
    Sampling,
    SystemMessage,
    Tool,
    ToolChoice,
    ToolGrammar,
    WebSearchTool,
)
from addon.neutral.response import FinishReason, Response, Usage

__all__ = [
    "AudioPart",
    "Billing",
    "CacheBreakpoint",
    "Citation",
    "ClientRequestError",
    "CodeExecutionTool",
    "DetourError",
    "Effort",
    "ErrorInfo",
    "ErrorKind",
    "Event",
    "EventChecker",
    "Extra",
    "FilePart",
    "FileReference",
    "FinishReason",
    "Gathered",
    "GrammarError",
    "HostedCallPart",
    "HostedTool",
    "ImagePart",
    "InlineMedia",
    "LogprobsConfig",
    "Loss",
    "LossAction",
    "LossList",
    "MediaSource",
    "Message",
    "NativePart",
    "NativeTool",
    "OpaqueState",
    "Part",
    "PartEnd",
    "PartKind",
    "PartStart",
    "PlainText",
    "ProviderResponseError",
    "ReasoningConfig",
    "ReasoningDelta",
    "ReasoningPart",
    "Recurring",
    "RefusalPart",
    "Request",
    "Response",
    "ResponseEnd",
    "ResponseFormat",
    "ResponseStart",
    "Role",
    "Sampling",
    "SignatureDelta",
    "StreamError",
    "SystemMessage",
    "TextDelta",
    "TextPart",
    "Tool",
    "ToolCallDelta",
    "ToolCallKind",
    "ToolCallPart",
    "ToolChoice",
    "ToolGrammar",
    "ToolResultPart",
    "UnsupportedFeature",
    "UrlMedia",
    "Usage",
    "WebSearchTool",
    "billing",
    "fold",
    "gather",
    "unfold",
]

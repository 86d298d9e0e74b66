"""The messages of the Gemini API's requests, transcribed.

Page followed: https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

from addon.embedded.gemini.protobuf import (
    Reader,
    anything,
    boolean,
    data,
    enumeration,
    int32,
    map_of,
    message,
    number,
    repeated,
    string,
    struct,
)

_SCHEMA: dict[str, Reader] = {
    "type": enumeration(
        "Type",
        (
            "TYPE_UNSPECIFIED",
            "STRING",
            "NUMBER",
            "INTEGER",
            "BOOLEAN",
            "ARRAY",
            "OBJECT",
            "NULL",
        ),
    ),
    "format": string,
    "title": string,
    "description": string,
    "nullable": boolean,
    "enum": repeated(string),
    "maxItems": int32,
    "minItems": int32,
    "required": repeated(string),
    "minProperties": int32,
    "maxProperties": int32,
    "minLength": int32,
    "maxLength": int32,
    "pattern": string,
    "example": anything,
    "propertyOrdering": repeated(string),
    "default": anything,
    "minimum": number,
    "maximum": number,
}
SCHEMA = message("Schema", _SCHEMA)
_SCHEMA.update(properties=map_of(SCHEMA), items=SCHEMA, anyOf=repeated(SCHEMA))

_BLOB = message("Blob", {"mimeType": string, "data": data})
_FILE = message("FileData", {"mimeType": string, "fileUri": string})
PART_KINDS: dict[str, Reader] = {
    "text": string,
    "inlineData": _BLOB,
    "fileData": _FILE,
    "functionCall": message("FunctionCall", {"id": string, "name": string, "args": struct}),
    "functionResponse": message(
        "FunctionResponse",
        {
            "id": string,
            "name": string,
            "response": struct,
            "parts": repeated(
                message("FunctionResponsePart", {"inlineData": _BLOB, "fileData": _FILE})
            ),
            "willContinue": boolean,
            "scheduling": enumeration(
                "Scheduling", ("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT")
            ),
        },
    ),
    "executableCode": message(
        "ExecutableCode",
        {
            "id": string,
            "language": enumeration("Language", ("LANGUAGE_UNSPECIFIED", "PYTHON")),
            "code": string,
        },
    ),
    "codeExecutionResult": message(
        "CodeExecutionResult",
        {
            "id": string,
            "outcome": enumeration(
                "Outcome",
                (
                    "OUTCOME_UNSPECIFIED",
                    "OUTCOME_OK",
                    "OUTCOME_FAILED",
                    "OUTCOME_DEADLINE_EXCEEDED",
                ),
            ),
            "output": string,
        },
    ),
    "toolCall": struct,
    "toolResponse": struct,
}
"""What a part may hold; one of them at a time."""
_RESOLUTIONS = (
    "MEDIA_RESOLUTION_UNSPECIFIED",
    "MEDIA_RESOLUTION_LOW",
    "MEDIA_RESOLUTION_MEDIUM",
    "MEDIA_RESOLUTION_HIGH",
)
_PART = message(
    "Part",
    {
        **PART_KINDS,
        "thought": boolean,
        "thoughtSignature": data,
        "partMetadata": struct,
        "videoMetadata": message(
            "VideoMetadata", {"startOffset": string, "endOffset": string, "fps": number}
        ),
        "mediaResolution": message(
            "MediaResolution",
            {"level": enumeration("Level", (*_RESOLUTIONS, "MEDIA_RESOLUTION_ULTRA_HIGH"))},
        ),
    },
)
_CONTENT = message("Content", {"role": string, "parts": repeated(_PART)})

_FUNCTION = message(
    "FunctionDeclaration",
    {
        "name": string,
        "description": string,
        "parameters": SCHEMA,
        "parametersJsonSchema": anything,
        "response": SCHEMA,
        "responseJsonSchema": anything,
        "behavior": enumeration("Behavior", ("UNSPECIFIED", "BLOCKING", "NON_BLOCKING")),
    },
)
_TOOL = message(
    "Tool",
    {
        "functionDeclarations": repeated(_FUNCTION),
        "googleSearch": struct,
        "googleSearchRetrieval": struct,
        "codeExecution": struct,
        "urlContext": struct,
        "computerUse": struct,
        "fileSearch": struct,
        "googleMaps": struct,
        "mcpServers": repeated(struct),
    },
)
_TOOL_CONFIG = message(
    "ToolConfig",
    {
        "functionCallingConfig": message(
            "FunctionCallingConfig",
            {
                "mode": enumeration(
                    "Mode", ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
                ),
                "allowedFunctionNames": repeated(string),
            },
        ),
        "retrievalConfig": struct,
        "includeServerSideToolInvocations": boolean,
    },
)

_GENERATION = message(
    "GenerationConfig",
    {
        "stopSequences": repeated(string),
        "responseMimeType": string,
        "responseSchema": SCHEMA,
        "responseJsonSchema": anything,
        "responseModalities": repeated(
            enumeration("Modality", ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"))
        ),
        "candidateCount": int32,
        "maxOutputTokens": int32,
        "temperature": number,
        "topP": number,
        "topK": number,
        "seed": int32,
        "presencePenalty": number,
        "frequencyPenalty": number,
        "responseLogprobs": boolean,
        "logprobs": int32,
        "enableEnhancedCivicAnswers": boolean,
        "speechConfig": struct,
        "imageConfig": struct,
        "thinkingConfig": message(
            "ThinkingConfig",
            {
                "includeThoughts": boolean,
                "thinkingBudget": int32,
                "thinkingLevel": enumeration(
                    "ThinkingLevel",
                    (
                        "THINKING_LEVEL_UNSPECIFIED",
                        "LOW",
                        "HIGH",
                        "MEDIUM",
                        "MINIMAL",
                        "XHIGH",
                    ),
                ),
            },
        ),
        "mediaResolution": enumeration("MediaResolution", _RESOLUTIONS),
    },
)

_CATEGORIES = (
    "HARM_CATEGORY_UNSPECIFIED",
    "HARM_CATEGORY_DEROGATORY",
    "HARM_CATEGORY_TOXICITY",
    "HARM_CATEGORY_VIOLENCE",
    "HARM_CATEGORY_SEXUAL",
    "HARM_CATEGORY_MEDICAL",
    "HARM_CATEGORY_DANGEROUS",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
)
_THRESHOLDS = (
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
)
_REQUEST: dict[str, Reader] = {
    "model": string,
    "contents": repeated(_CONTENT),
    "systemInstruction": _CONTENT,
    "tools": repeated(_TOOL),
    "toolConfig": _TOOL_CONFIG,
    "generationConfig": _GENERATION,
    "safetySettings": repeated(
        message(
            "SafetySetting",
            {
                "category": enumeration("HarmCategory", _CATEGORIES),
                "threshold": enumeration("HarmBlockThreshold", _THRESHOLDS),
            },
        )
    ),
    "cachedContent": string,
    "serviceTier": enumeration("ServiceTier", ("UNSPECIFIED", "STANDARD", "FLEX", "PRIORITY")),
    "store": boolean,
}
GENERATE_REQUEST = message("GenerateContentRequest", _REQUEST)
EMBED_REQUEST = message(
    "EmbedContentRequest",
    {
        "model": string,
        "content": _CONTENT,
        "taskType": enumeration(
            "TaskType",
            (
                "TASK_TYPE_UNSPECIFIED",
                "RETRIEVAL_QUERY",
                "RETRIEVAL_DOCUMENT",
                "SEMANTIC_SIMILARITY",
                "CLASSIFICATION",
                "CLUSTERING",
                "QUESTION_ANSWERING",
                "FACT_VERIFICATION",
                "CODE_RETRIEVAL_QUERY",
            ),
        ),
        "title": string,
        "outputDimensionality": int32,
    },
)
BATCH_EMBED_REQUEST = message("BatchEmbedContentsRequest", {"requests": repeated(EMBED_REQUEST)})
COUNT_REQUEST = message(
    "CountTokensRequest",
    {
        "model": string,
        "contents": repeated(_CONTENT),
        "generateContentRequest": GENERATE_REQUEST,
    },
)

"""Embeddings: texts in, vectors out, in OpenAI's words and in Gemini's.

* `request`: what an agent asks for (`EmbeddingRequest`)
* `openai`: for providers with OpenAI's endpoint
* `gemini`: for Gemini's `batchEmbedContents`
* `answer`: the answer in OpenAI's words
"""

"""Endpoints of OpenAI's API beside those for answers, as strict as the real ones.

* `endpoint`: which path is whose; `forms`: bodies of fields and files; `abilities`: which model can
* `embeddings`, `completions`, `moderations`, `images`, `speech`, `transcriptions`: one request each
* `files`, `uploads`, `batches`: what the provider keeps, for as long as it lives
* `infill`: legacy completions as those providers take them who fill in between two texts
* `realtime`, `realtime_shapes`: the socket, and what leads to it by HTTP
"""

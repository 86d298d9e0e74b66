"""A suite that plays real agents in every format against one provider, through a live proxy.

It judges what an agent sees by rules of its own, so that it finds what the translation and its
tests have wrong in common: it must never import `addon.formats`, `addon.neutral` or
`addon.translation`.
"""

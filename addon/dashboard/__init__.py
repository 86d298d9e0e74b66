"""The dashboard: pages under `/detour`, and the JSON API behind them.

* `addon`: what puts it into mitmproxy: into mitmweb's pages, or on a port of its own (`server`)
* `handlers`: HTTP; `guarded` and `protection` say who may ask, `routing` which operation answers
* `..._operations`: what the API does, by subject; mostly plain functions that run in threads
* `workspace`: what they work on; `rules_state`, `provider_rows`, ...: how it is shown
* `live`, `hub`, `event_stream`: what happens meanwhile, told to pages

docs/dashboard-api.md is the contract.
"""

from addon.dashboard.addon import Dashboard

__all__ = ["Dashboard"]

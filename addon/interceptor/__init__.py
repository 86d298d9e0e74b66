"""Detour inside mitmproxy: the only package here, besides the commands, that imports it.

* `addon`: the addon and its hooks; `options`: what can be set; `defaults`: what it sets itself
* `rules_in_force`: the rules; `endpoints`: what a request calls; `planning`: what becomes
  of it; `refusals`: errors given at once
* `adapter`: feeds the engine's answers into mitmproxy's layers; `upstream`: how the engine gets out
* `arrivals`: what rules may look at, of `bodies`, `identity` (who calls) and `filters` (mitmproxy's
  filter expressions); `uploading`: requests too large to be held
* `routing`: calls that the engine answers; `carrying`, `completing`: those to other endpoints
* `display`, `recorder`, `flow_limit`: what people see in mitmweb, without any key
"""

from addon.interceptor.addon import Interceptor

__all__ = ["Interceptor"]

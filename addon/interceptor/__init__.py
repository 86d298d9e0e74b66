"""Detour inside mitmproxy: the only package here, besides the commands, that imports it.

* `addon`: the addon and its hooks; `options`: what can be set; `defaults`: what it sets itself
* `rules_source`: the rules in force; `endpoints`: what a request calls; `planning`: what becomes
  of it; `refusals`: errors given at once
* `adapter`: feeds the engine's answers into mitmproxy's layers; `upstream`: how the engine gets out
* `bodies`, `identity`, `filters`: request bodies, who calls, mitmproxy's filter expressions
* `display`, `recorder`, `flow_limit`: what people see in mitmweb, without any key
"""

from addon.interceptor.addon import Interceptor

__all__ = ["Interceptor"]

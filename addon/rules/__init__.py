"""rules.yaml: which calls go where.

* `definitions`: every key that a file may hold; `shapes` are what it is made of, `schema` writes
  it as JSON Schema
* `loading`: from text to `Rules`, or to every mistake at once (`RulesError`)
* `decisions`: the rules themselves and how one is chosen; `facts` is what they look at
* `rules_file`: the file on disk, read again when it changes
* `model_names`, `phases`: what the name of a model and an agent's traffic tell; `signatures` and
  `markers`: how it shows
* `editing`, `provider_edits`: changing the file, comments and order kept
* `limits`: how much the calls of a rule may use
* `one_target`: rules that send every call to one place
* `edits`, `agents`: a rule's changes to the body; names for agents
"""

from addon.rules.agents import agent_name
from addon.rules.decisions import DEFAULT_INTERCEPT, Decision, Rule, Rules, Step
from addon.rules.edits import apply_edits
from addon.rules.facts import CallFacts, estimate_tokens
from addon.rules.limits import Excess, Limit, Standing, Used
from addon.rules.loading import load_rules
from addon.rules.one_target import with_one_target
from addon.rules.phases import split_name
from addon.rules.problems import Problem, RulesError
from addon.rules.rules_file import RulesFile, read_rules
from addon.rules.signatures import PHASES, SIGNATURES, Phase
from addon.rules.targets import Target

__all__ = [
    "DEFAULT_INTERCEPT",
    "PHASES",
    "SIGNATURES",
    "CallFacts",
    "Decision",
    "Excess",
    "Limit",
    "Phase",
    "Problem",
    "Rule",
    "Rules",
    "RulesError",
    "RulesFile",
    "Standing",
    "Step",
    "Target",
    "Used",
    "agent_name",
    "apply_edits",
    "estimate_tokens",
    "load_rules",
    "read_rules",
    "split_name",
    "with_one_target",
]

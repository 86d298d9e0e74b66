"""What people ask about rules and providers; commands print it, the dashboard shows it.

* `loading`: the rules file, read as the proxy reads it, and what its providers lack here
* `questions`: a call to each endpoint
* `explanation`: what would become of it; `explanation_document` as JSON
* `verification`: whether providers answer; `local`: what runs on this machine
"""

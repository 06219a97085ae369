"""People as a model: a local web page asks one question at a time and keeps every answer.

- `question`: what the browser is told of an item, and never more than a model is told.
- `session`: one annotator's way through a run: order, answers so far, the next question.
- `app`: the few addresses that `page.html` asks.
- `run`: sessions whose answers go into the folder of a run.
- `serve`: sessions on an address of this machine until Ctrl-C.
"""

"""What an audit found: answers recomputed, and what guessing gets."""

from xvr.viewer.html import Markup, tag
from xvr.viewer.measures import count
from xvr.viewer.names import ordered, title
from xvr.viewer.reports import Audit, Guesser


def verdict(audit: Audit) -> Markup | None:
    """One line: how many answers were checked and how many are wrong."""
    if audit.answers_checked is None:
        return None
    problems = {kind: sum(reasons.values()) for kind, reasons in audit.counts.items()}
    words = [f"{count(audit.answers_checked)} answers checked against the source"]
    words.append(f"{count(problems.pop('answer', 0))} wrong")
    if audit.unproven:
        words.append(f"{count(audit.unproven)} cannot be checked, as they have no proof")
    if audit.images_checked:
        words.append(f"{count(audit.images_checked)} images compared")
    words += [f"{count(n)} problems of {kind}" for kind, n in problems.items() if n]
    sign = tag("strong", "✓" if audit.ok else "✗", class_="good" if audit.ok else "bad")
    return tag("p", sign, " Audit: ", ", ".join(words), ".", class_="audit")


def guessing(audit: Audit) -> Markup | None:
    """By task, the best score of a guesser that does not look across views."""
    best: dict[str, Guesser] = {}
    for score in audit.cheaters:
        if score.task not in best or _above(score) > _above(best[score.task]):
            best[score.task] = score
    if not best:
        return None
    heads = ("task", "best guesser", "score", "chance", "samples", "")
    table = tag(
        "table",
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        tag("tbody", *(_row(best[task]) for task in ordered(best))),
        class_="tasks",
    )
    words = (
        "Guessers look at the text, at colours or at single images, never across views. A task "
        "leaks where one is surely more than 5 points above chance."
    )
    return tag("div", tag("p", words, class_="small"), tag("div", table, class_="scroll"))


def _row(score: Guesser) -> Markup:
    return tag(
        "tr",
        tag("th", title(score.task), scope="row"),
        tag("td", score.cheater),
        tag("td", f"{score.accuracy:.1%}"),
        tag("td", f"{score.chance:.1%}"),
        tag("td", count(score.samples)),
        tag("td", "leaks" if score.leaky else "", class_="bad"),
    )


def _above(score: Guesser) -> tuple[bool, float]:
    return score.leaky, score.accuracy - score.chance

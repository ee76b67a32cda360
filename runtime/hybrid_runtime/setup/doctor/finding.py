"""What a look at the device has brought to light."""

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"
# Remedies of several checks.
REPAIR = "hybrid-runtime doctor --repair"
DELETE = "hybrid-runtime --root {root} delete --force {id}"


class Finding:
    """`text` has the particulars, `meaning` the consequence. `remedy` is "" where nothing needs to be done."""

    def __init__(self, level: str, title: str, text: str, meaning: str, remedy: str) -> None:
        self.level = level
        self.title = title
        self.text = text
        self.meaning = meaning
        self.remedy = remedy


class Check:
    """Something that may be found. The tables of docs/troubleshooting.md are made from the checks.

    `meaning` has whole sentences. The remedy may have `{name}`s, which `found` fills in.
    """

    def __init__(self, level: str, title: str, meaning: str, remedy: str = "") -> None:
        self.level = level
        self.title = title
        self.meaning = meaning
        self.remedy = remedy

    def found(self, text: str = "", **names: str) -> Finding:
        remedy = self.remedy.format(**names) if names else self.remedy
        return Finding(self.level, self.title, text, self.meaning, remedy)


class Repaired:
    """What a repair did. `failure` is "" where it worked."""

    def __init__(self, text: str, failure: str = "") -> None:
        self.text = text
        self.failure = failure

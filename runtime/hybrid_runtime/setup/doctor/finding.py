"""What a look at the device has brought to light."""

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"


class Finding:
    """`text` has the particulars; `remedy` is what to do, "" where nothing needs to be done."""

    def __init__(self, level: str, title: str, text: str, remedy: str) -> None:
        self.level = level
        self.title = title
        self.text = text
        self.remedy = remedy


class Check:
    """Something that may be found. docs/troubleshooting.md has a section under each title that is not ok.

    The remedy may have `{name}`s, which `found` fills in.
    """

    def __init__(self, level: str, title: str, remedy: str = "") -> None:
        self.level = level
        self.title = title
        self.remedy = remedy

    def found(self, text: str = "", **names: str) -> Finding:
        return Finding(self.level, self.title, text, self.remedy.format(**names) if names else self.remedy)

"""A command that does something more before its verb: plants a defect, or listens to the interpreter."""

from pathlib import Path

LAST_LINE = "main(sys.argv[1:])"


def altered(launcher: Path, name: str, lines: str) -> Path:
    """A launcher beside the deployed one. `lines` run once the package can be imported, in every process of a call."""
    path = launcher.with_name(name)
    text = launcher.read_text()
    assert text.count(LAST_LINE) == 1
    path.write_text(text.replace(LAST_LINE, f"{lines}\n{LAST_LINE}"))
    path.chmod(0o755)
    return path


def failing(module: str, name: str, error: str = "ZeroDivisionError('planted')") -> str:
    """Lines for `altered`: a function or method of ours that raises instead of doing its work."""
    owner, _, function = name.rpartition(".")
    target = f"defective.{owner}" if owner else "defective"
    return (
        f"import hybrid_runtime.{module} as defective\ndef plant(*_, **__): raise {error}\n{target}.{function} = plant"
    )

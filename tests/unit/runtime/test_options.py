"""Taking a command line apart."""

import pytest

from hybrid_runtime.command.options import USAGE_CODE, Option, Values, parse, salvage, usage_error
from hybrid_runtime.system.failure import Failure

OPTIONS = [
    Option("-f, --force"),
    Option("-b, --bundle", "DIR"),
    Option("--systemd-cgroup", ignored=True),
]


def parsed(*argv: str, stop: bool = False) -> tuple[dict[str, list[str]], list[str], list[str]]:
    values, rest = parse(list(argv), OPTIONS, stop_at_argument=stop)
    return values.options, values.arguments, rest


def refusal(*argv: str, verb: str = "") -> Failure:
    with pytest.raises(Failure) as refused:
        parse(list(argv), OPTIONS, stop_at_argument=False, verb=verb)
    return refused.value


def test_an_option_is_called_by_its_last_name() -> None:
    option = Option("-b, --bundle", "DIR", "where it is")
    assert (option.names, option.key) == (["-b", "--bundle"], "bundle")
    assert (option.value, option.about, option.ignored) == ("DIR", "where it is", False)
    assert (Option("-x").key, Option("-x").value, Option("-x").about) == ("x", "", "")


def test_the_last_value_counts() -> None:
    values = Values()
    values.options["bundle"] = ["a", "b", "c"]
    assert (values.get("bundle"), values.all("bundle"), values.has("bundle")) == ("c", ["a", "b", "c"], True)
    assert (values.get("force"), values.get("force", "x"), values.all("force")) == ("", "x", [])
    assert not values.has("force")


def test_a_usage_error_names_the_help() -> None:
    of_verb, of_all = usage_error("wrong", "create"), usage_error("wrong")
    assert (of_verb.message, of_verb.code) == ("wrong", USAGE_CODE)
    assert of_verb.remedy == "`hybrid-runtime create --help` shows what is understood"
    assert of_all.remedy == "`hybrid-runtime --help` shows what is understood"
    assert USAGE_CODE == 2


@pytest.mark.parametrize(
    ("argv", "options", "arguments"),
    [
        (["-b", "x", "id"], {"bundle": ["x"]}, ["id"]),
        (["-bx", "id"], {"bundle": ["x"]}, ["id"]),
        (["-bxy"], {"bundle": ["xy"]}, []),
        (["-b=x"], {"bundle": ["x"]}, []),
        (["--bundle=", "id"], {"bundle": [""]}, ["id"]),
        (["--bundle", "-f"], {"bundle": ["-f"]}, []),
        (["id", "-f", "other"], {"force": [""]}, ["id", "other"]),
        (["-f", "--", "-f", "id"], {"force": [""]}, ["-f", "id"]),
        (["-"], {}, ["-"]),
        ([""], {}, [""]),
        (["--force=true"], {"force": ["true"]}, []),
        (["--force=false"], {}, []),
        (["-f", "--force=false"], {}, []),
        (["--force=false", "-f"], {"force": [""]}, []),
        (["--systemd-cgroup=whatever"], {"systemd-cgroup": ["whatever"]}, []),
        (["--systemd-cgroup=false", "id"], {"systemd-cgroup": ["false"]}, ["id"]),
    ],
)
def test_forms_of_options(argv: list[str], options: dict[str, list[str]], arguments: list[str]) -> None:
    assert parsed(*argv) == (options, arguments, [])


@pytest.mark.parametrize(
    ("argv", "options", "rest"),
    [
        (["-f", "create", "-b", "x"], {"force": [""]}, ["create", "-b", "x"]),
        (["-f", "--", "-b", "x"], {"force": [""]}, ["-b", "x"]),
        (["-", "-f"], {}, ["-", "-f"]),
        (["-f"], {"force": [""]}, []),
    ],
)
def test_what_follows_the_first_argument_is_left(
    argv: list[str], options: dict[str, list[str]], rest: list[str]
) -> None:
    assert parsed(*argv, stop=True) == (options, [], rest)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nonsense"], "unknown option `--nonsense`"),
        (["--nonsense=1"], "unknown option `--nonsense`"),
        (["-xyz"], "unknown option `-xyz`"),
        (["-fx"], "unknown option `-fx`"),
        (["id", "-b"], "option `-b` needs a value"),
        (["--force=maybe"], "option `--force` takes no value but true or false, not `maybe`"),
    ],
)
def test_what_is_not_understood(argv: list[str], message: str) -> None:
    for verb in ("", "create"):
        refused = refusal(*argv, verb=verb)
        assert (refused.message, refused.code, refused.remedy) == (message, 2, usage_error("", verb).remedy)


def test_a_command_line_is_left_as_it_was() -> None:
    argv = ["-f", "id"]
    parse(argv, OPTIONS, stop_at_argument=False)
    assert argv == ["-f", "id"]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["--log", "a"], {"--log": "a"}),
        (["--log=a"], {"--log": "a"}),
        (["--log=", "b"], {"--log": ""}),
        (["--log"], {}),
        (["--log", "a", "--log=b"], {"--log": "b"}),
        (["--log=b", "x", "--log"], {"--log": "b"}),
        (["--other", "a", "x"], {}),
        (["x", "--log", "--format", "json"], {"--log": "--format", "--format": "json"}),
    ],
)
def test_what_can_be_salvaged(argv: list[str], found: dict[str, str]) -> None:
    assert salvage(argv, ("--log", "--format")) == found

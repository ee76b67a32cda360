"""The command line in one table: the parser and every help text are made from it."""

from hybrid_runtime.command.options import Option, usage_error
from hybrid_runtime.system.failure import Failure

_ID = ("<CONTAINER_ID>", "container ID")
_ENGINE = ("<ENGINE>", "podman, docker, containerd, crio or k3s")
_FORMAT = Option("-f, --format", "FORMAT", "table or json [default: table]")
# Of runc's and crun's update.
_LIMITS = (
    *("--blkio-weight", "--cpu-burst", "--cpu-idle", "--cpu-period", "--cpu-quota", "--cpu-rt-period"),
    *("--cpu-rt-runtime", "--cpu-share", "--cpuset-cpus", "--cpuset-mems", "--kernel-memory", "--kernel-memory-tcp"),
    *("--l3-cache-schema", "--mem-bw-schema", "--memory", "--memory-reservation", "--memory-swap", "--pids-limit"),
)


class Verb:
    """`module` below hybrid_runtime.command has `run(context, values) -> int`; loaded only when called."""

    def __init__(
        self,
        name: str,
        summary: str,
        *,
        arguments: tuple[tuple[str, str], ...] = (_ID,),
        options: tuple[Option, ...] = (),
        examples: tuple[str, ...] = (),
        optional_arguments: int = 0,
        ignores_rest: bool = False,
        section: str = "Commands",
    ) -> None:
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.options = options
        self.examples = examples
        self.optional_arguments = optional_arguments
        # What follows the first argument is for somebody else, options included.
        self.ignores_rest = ignores_rest
        self.section = section


VERBS = (
    Verb(
        "create",
        "Create a container",
        arguments=(
            ("<IMAGE>", "Firmware container image name"),
            (
                "<CONTAINER_ID>",
                "container ID name for the instance of the container that you are starting. The name you provide for "
                "the container instance must be unique on your host",
            ),
        ),
        optional_arguments=1,
        options=(
            Option("-b, --bundle", "DIR", "an OCI bundle instead of <IMAGE>; without both, the current folder"),
            Option("--pid-file", "FILE", "write the supervisor's process id there"),
            Option("--console-socket", "SOCKET", "send the terminal of process.terminal there"),
            Option("--processor", "NAME", "the processor, where neither annotation nor bundle names one"),
            Option(
                "--annotation",
                "KEY=VALUE",
                "with <IMAGE>, repeatable: remoteproc.name, remoteproc.recovery, …",
            ),
            Option("--no-pivot", ignored=True),
            Option("--no-new-keyring", ignored=True),
            Option("--preserve-fds", "N", ignored=True),
        ),
        examples=(
            "hybrid-runtime create --annotation remoteproc.name=10000.r5f ./motor.elf motor",
            "hybrid-runtime create ./motor.tar motor",
            "hybrid-runtime create oci:/srv/images/motor:v2 motor",
            "hybrid-runtime create containers-storage:localhost/motor:v2 motor",
            "hybrid-runtime create --bundle /run/bundles/motor --pid-file /run/motor.pid motor",
        ),
    ),
    Verb("start", "Start a created container", examples=("hybrid-runtime start motor",)),
    Verb("state", "Output the state of a container", examples=("hybrid-runtime state motor",)),
    Verb(
        "kill",
        "terminates the container",
        arguments=(
            _ID,
            (
                "[SIGNAL]",
                "name or number; TERM, INT, QUIT and HUP stop orderly, KILL at once [default: TERM]",
            ),
        ),
        optional_arguments=1,
        options=(Option("-a, --all", about="accepted; a container is one process"),),
        examples=("hybrid-runtime kill motor", "hybrid-runtime kill motor KILL"),
    ),
    Verb(
        "delete",
        "Deletes any resources held by the container",
        options=(Option("-f, --force", about="Forcibly deletes the container if it is still running (using SIGKILL)"),),
        examples=("hybrid-runtime delete motor", "hybrid-runtime delete --force motor"),
    ),
    Verb(
        "logs",
        "Fetch the logs of a running container",
        arguments=(("<CONTAINER_ID>", "Container ID Name of the container"),),
        options=(
            Option("-f, --follow", about="go on until the container ends"),
            Option("-n, --tail", "N", "only the last N lines"),
            Option("-t, --timestamps", about="the time in front of each line"),
        ),
        examples=("hybrid-runtime logs motor", "hybrid-runtime logs -f -n 20 motor"),
    ),
    Verb(
        "help",
        "Print this message or the help of the given subcommand(s)",
        arguments=(("[COMMAND]", "the subcommand"),),
        optional_arguments=1,
    ),
    Verb(
        "processors",
        "List the processors of this board, their state, and the containers that hold them",
        arguments=(),
        options=(Option("--memory", about="where firmware may be loaded to, in the core's own addresses"), _FORMAT),
        examples=("hybrid-runtime processors", "hybrid-runtime processors --memory -f json"),
        section="Further commands",
    ),
    Verb(
        "list",
        "List the containers, also those that have stopped",
        arguments=(),
        options=(Option("-q, --quiet", about="only the ids"), _FORMAT),
        examples=("hybrid-runtime list", "hybrid-runtime list -q"),
        section="Further commands",
    ),
    Verb(
        "ps",
        "Show the process that stands for a container",
        arguments=(_ID, ("[PS_OPTIONS]", "accepted and ignored, as all that follows the id")),
        optional_arguments=1,
        ignores_rest=True,
        options=(_FORMAT,),
        examples=("hybrid-runtime ps motor", "hybrid-runtime ps --format json motor"),
        section="Further commands",
    ),
    Verb(
        "update",
        "Acknowledge a change of limits, which a core does not have",
        options=(
            Option("-r, --resources", "FILE", "the limits as JSON, `-` for standard input"),
            *(Option(name, "VALUE", ignored=True) for name in _LIMITS),
        ),
        examples=("hybrid-runtime update --resources - motor",),
        section="Further commands",
    ),
    Verb(
        "doctor",
        "Check this device, and say what to do where something is missing",
        arguments=(),
        options=(
            Option("--repair", about="clean up what interrupted containers have left; others are not touched"),
            _FORMAT,
        ),
        examples=("hybrid-runtime doctor", "hybrid-runtime doctor --repair"),
        section="Further commands",
    ),
    Verb(
        "install",
        "Make a container engine know this runtime, in the engine's own settings",
        arguments=(_ENGINE,),
        options=(Option("--print", about="only print the lines that the engine has to be told"),),
        examples=(
            "hybrid-runtime install podman",
            "hybrid-runtime install containerd --print >> /etc/containerd/config.toml",
        ),
        section="Further commands",
    ),
    Verb(
        "uninstall",
        "Take this runtime out of a container engine's settings",
        arguments=(_ENGINE,),
        examples=("hybrid-runtime uninstall podman",),
        section="Further commands",
    ),
    Verb(
        "features",
        "Output what engines may expect of this runtime, as JSON",
        arguments=(),
        examples=("hybrid-runtime features",),
        section="Further commands",
    ),
)

GLOBAL_OPTIONS = (
    Option("-h, --help", about="Print help"),
    Option("-V, --version", about="Print version"),
)

FURTHER_GLOBAL_OPTIONS = (
    Option("--root", "DIR", "the folder of all containers [default: /run/hybrid-runtime for root]"),
    Option("--log", "FILE", "append errors and warnings there too"),
    Option("--log-format", "FORMAT", "text or json [default: text]"),
    Option("--log-level", "LEVEL", "error, warning, info or debug [default: warning]"),
    Option("--debug", about="the same as --log-level debug"),
    Option("--processor", "NAME", "the processor of containers that do not name one"),
)

ACCEPTED_GLOBAL_OPTIONS = (
    Option("-v", ignored=True),
    Option("--sysroot", "DIR"),
    Option("--systemd-cgroup", ignored=True),
    Option("--rootless", ignored=True),
    Option("--criu", "PATH", ignored=True),
    Option("--cgroup-manager", "NAME", ignored=True),
)

# Verbs of other runtimes, and why a core has nothing to answer them with.
REFUSED_VERBS = {
    "run": "use create and start",
    "exec": "a core runs one firmware and has no shell to enter",
    "pause": "remoteproc cannot halt a core and go on",
    "resume": "remoteproc cannot halt a core and go on",
    "checkpoint": "the state of a core cannot be saved",
    "restore": "the state of a core cannot be saved",
    "events": "a core reports no use of resources; `state` has its crashes, `logs -f` follows its output",
    "attach": "a core has no standard input; `logs -f` follows its output",
    "spec": "docs/runtime.md shows a config.json",
    "version": "use --version",
}

EXIT_CODES = (
    ("0", "done"),
    ("1", "refused or failed; the message says why and what to do"),
    ("2", "the command line was not understood"),
    ("3", "install and uninstall: lines are left for you to write, and printed"),
)


def find_verb(name: str) -> Verb | None:
    for verb in VERBS:
        if verb.name == name:
            return verb
    return None


def refusal(name: str) -> Failure:
    """For a verb that is not in the table."""
    reason = REFUSED_VERBS.get(name)
    if reason is None:
        return usage_error(f"unknown command `{name}`")
    return Failure(f"`{name}` is not supported", reason)

"""A Dockerfile read into its instructions, and what must hold for every one of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.findings import Finding

INSTRUCTIONS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
    *("LABEL", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
_FROM = re.compile(r"(?:--platform=\S+\s+)?(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its continued lines joined."""

    line: int
    name: str
    rest: str

    def flags(self) -> dict[str, str]:
        """What stands before its arguments, `--name=value`."""
        return dict(re.findall(r"(?:^|(?<=\s))--([a-z]+)=(\S+)", self.rest.split("\n")[0]))

    def words(self) -> list[str]:
        """Its arguments without flags."""
        return [word for word in self.rest.split() if not word.startswith("--")]


@dataclass(frozen=True, slots=True)
class Stage:
    """A `FROM` and what follows it."""

    line: int
    base: str
    name: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The arguments before the first stage, and the stages in order."""

    arguments: dict[str, str]
    stages: tuple[Stage, ...]

    def lineage(self, name: str) -> list[Stage]:
        """The stage of that name and those it is built on, the first one first."""
        by_name = {stage.name: stage for stage in self.stages}
        found = [by_name[name]]
        while found[0].base in by_name:
            found.insert(0, by_name[found[0].base])
        return found


def read(text: str) -> list[Instruction]:
    """The instructions in order; comments and empty lines left out."""
    found: list[Instruction] = []
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not parts):
            continue
        first = first if parts else number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append(Instruction(first, name.upper(), rest.strip()))
            parts = []
    return found


def understand(instructions: list[Instruction]) -> Dockerfile:
    """The instructions by stage. What has no place in it is left out; `lint` tells of it."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for instruction in instructions:
        if instruction.name == "FROM" and (match := _FROM.match(instruction.rest)):
            name = match["name"] or str(len(stages))
            stages.append(Stage(instruction.line, match["base"], name, ()))
        elif stages:
            last = stages[-1]
            stages[-1] = Stage(last.line, last.base, last.name, (*last.instructions, instruction))
        elif instruction.name == "ARG":
            name, _, value = instruction.rest.partition("=")
            arguments[name] = value
    return Dockerfile(arguments, tuple(stages))


def lint(path: Path, context: Path, targets: tuple[str, ...]) -> list[Finding]:
    """What is wrong with the file: unknown instructions, copies of what is not there, bases that
    nobody can choose, and targets that run as root, without a health check or an entry point."""
    instructions = read(path.read_text(encoding="utf-8"))
    file = understand(instructions)
    found: list[Finding] = []

    def say(line: int, sentence: str) -> None:
        found.append(Finding(path, f"line {line}", sentence))

    for instruction in instructions:
        if instruction.name not in INSTRUCTIONS:
            say(instruction.line, f"{instruction.name} is no instruction")
        elif instruction.name == "ADD":
            say(instruction.line, "ADD fetches and unpacks unasked: say COPY")
    known: list[str] = []
    for stage in file.stages:
        argument = re.fullmatch(r"\$\{(\w+)\}", stage.base)
        if stage.base not in known and not (argument and argument[1] in file.arguments):
            say(stage.line, f"base {stage.base}: take an earlier stage, or an ARG of the file")
        for instruction in stage.instructions:
            source = instruction.flags().get("from")
            if instruction.name == "COPY" and source is not None and source not in known:
                say(instruction.line, f"copies from {source}, which is no earlier stage")
            if instruction.name == "COPY" and source is None:
                for word in instruction.words()[:-1]:
                    if not (context / word).exists():
                        say(instruction.line, f"copies {word}, which is not there")
        known.append(stage.name)
    for name, base in file.arguments.items():
        if re.match(r"[^/]*[.:][^/]*/", base):
            say(1, f"{name} names a registry: which one is the builder's to say")
        if base and (":" not in base or base.endswith(":latest")):
            say(1, f"{name}={base}: name a version that stays what it is")
    for target in targets:
        if target not in known:
            say(1, f"there is no target {target}")
            continue
        lineage = [i for stage in file.lineage(target) for i in stage.instructions]
        line = file.lineage(target)[-1].line
        users = [i.rest for i in lineage if i.name == "USER"]
        if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
            say(line, f"target {target} must end as a numbered user who is not root")
        for wanted in ("HEALTHCHECK", "ENTRYPOINT"):
            if not any(i.name == wanted for i in lineage):
                say(line, f"target {target} has no {wanted}")
    return found

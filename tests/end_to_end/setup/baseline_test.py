"""baseline_test.py BUILD: every file is compiled for plain x86-64; faster kernels are chosen at run time."""
import json
import pathlib
import re
import sys

commands = json.loads(pathlib.Path(sys.argv[1], "compile_commands.json").read_text())
# -m64, -mno-..., -mindirect-branch and the like name no newer instruction set.
FORBIDDEN = re.compile(r"\s-m(?:arch|cpu|tune|avx|fma|bmi|f16c|sse4|ssse3|amx|popcnt|lzcnt)\S*")
found = [(entry["file"], flag) for entry in commands for flag in FORBIDDEN.findall(" " + entry["command"])]
print(f"{len(commands)} compile commands, {len(found)} with an instruction set flag")
for file, flag in found:
    print(f"  {file}:{flag}")
sys.exit(1 if found or not commands else 0)

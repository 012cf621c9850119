"""run.py FUZZER SECONDS MAX_LEN: libFuzzer on one core, from what <name>/seeds.py makes and from the corpus beside the
program, which stays. A crash, a broken promise, more than 2 GiB or ten seconds for one input are findings: the run fails
and names the file that shows it."""
import pathlib
import runpy
import subprocess
import sys

program, seconds, length = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
part = pathlib.Path(__file__).resolve().parent / program.name.removesuffix("_fuzz")
seeds, corpus = program.parent / "seeds", program.parent / "corpus"
for folder in (seeds, corpus):
    folder.mkdir(exist_ok=True)
for number, seed in enumerate(runpy.run_path(str(part / "seeds.py"))["seeds"]()):
    (seeds / str(number)).write_bytes(seed)
command = [program, corpus, seeds, f"-max_total_time={seconds}", f"-max_len={length}", "-rss_limit_mb=2048", "-timeout=10",
           "-print_final_stats=1", f"-artifact_prefix={program.parent}/", *(f"-dict={path}" for path in part.glob("*.dict"))]
sys.exit(subprocess.run(command).returncode)

import subprocess
import sys


def prepare():
    print("from prepare")


def analysis(sliceno):
    print(f"from slice {sliceno}", file=sys.stderr)


def synthesis():
    subprocess.run(["echo", "from a subprocess"], check=True)
    print("from synthesis")

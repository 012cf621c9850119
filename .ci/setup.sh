# Functions of ./perrin that bring a machine to the point where CMake can run. Sourced by bash with $root (the
# repository) and $cache (downloads, LibTorch, Python environments; outside the tree) set.
# Contract: everything is idempotent, a no-op is silent, stdout is never written, and the first failure ends the
# process with one message.

say() { printf 'perrin: %s\n' "$*" >&2; }
die() {
  printf 'perrin: error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

# pinned NAME: its version.
pinned() { awk -v name="$1" '$2 == name { print $3 }' "$root/.ci/pins.txt"; }

# setup_venv FOLDER [REQUIREMENTS PACKAGE...]: a virtual environment with the pinned pip, and what is asked for in it.
setup_venv() {
  local folder=$1 stamp=$1/.perrin pip wanted
  shift
  pip=pip==$(pinned pip)
  wanted="$pip $* $([[ $# == 0 ]] || cat "$1")"
  [[ -e $stamp && $(<"$stamp") == "$wanted" ]] && "$folder/bin/python" -c '' 2>/dev/null && return
  say "preparing Python packages in $folder"
  python3 -m venv --clear "$folder" >&2 || die "python3 could not make a virtual environment in $folder"
  local log=$folder/.log
  "$folder/bin/python" -m pip install -q --disable-pip-version-check "$pip" >"$log" 2>&1 || no_index "$log"
  if (($# > 0)); then "$folder/bin/pip" install -q -r "$@" >"$log" 2>&1 || no_index "$log"; fi
  printf '%s' "$wanted" >"$stamp"
}

no_index() {
  die "pip could not get a package that set-up needs" "$(grep -v '^WARNING' "$1" | tail -n 2 | xargs -0)" \
    "Check the network and pip's configuration, and run the same command again: it continues where it stopped." \
    "Where a LibTorch is installed already, PERRIN_LIBTORCH=FOLDER uses it instead of a download."
}

. "$root/.ci/packages.sh"
. "$root/.ci/libtorch.sh"

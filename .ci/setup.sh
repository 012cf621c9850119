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

# ---- system packages

# packages KIND: the names in packages.txt that are marked KIND ("" for those that every machine needs).
packages() { awk -v kind="$1" '!/^#/ && NF && $2 == kind { print $1 }' "$root/.ci/packages.txt"; }

# Names on stdin -> those that dpkg has not installed.
not_installed() {
  local names
  names=$(cat)
  { dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $names 2>/dev/null || true; } |
    awk -v names="$names" '$1 == "ii" { have[$2] } END { n = split(names, all, "\n")
      for (i = 1; i <= n; i++) if (!(all[i] in have)) print all[i] }'
}

apt_install() {
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "these packages are missing and there is neither root nor sudo to install them" \
      "apt-get install $*"
    as_root=(sudo)
  fi
  say "installing packages: $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
    install --no-install-recommends "$@" >&2 </dev/null
}

apt_update() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=600 update >&2 </dev/null || say "apt-get update failed; going on with the old package lists"
}

foreign_system() {
  local tool missing=()
  for tool in g++ cmake ninja python3 curl git; do command -v $tool >/dev/null || missing+=("$tool"); done
  ((${#missing[@]} == 0)) || die "this is not a Debian or Ubuntu system, and these tools are missing: ${missing[*]}" \
    "Install them and your system's equivalents of the packages in .ci/packages.txt:" "$(packages '' | xargs)"
}

# Required packages must end up installed. An optional one that apt does not offer is remembered, so that only
# `./perrin setup` asks for it again.
setup_packages() {
  [[ $(uname -sm) == "Linux x86_64" ]] || die "Perrin builds on Linux x86_64 only; this is $(uname -sm)"
  if ! command -v dpkg-query apt-get >/dev/null; then foreign_system; return; fi
  local missing optional name
  missing=$(packages '' | not_installed | xargs)
  optional=$(packages optional | while read -r name; do [[ -e $cache/not-offered/$name ]] || echo "$name"; done | not_installed)
  if [[ -n $missing || -n $optional ]]; then
    if ((EUID == 0)) || command -v sudo >/dev/null; then apt_update; fi
    [[ -z $missing ]] || apt_install $missing || die "apt-get could not install: $missing" "Its messages are above."
    for name in $optional; do setup_optional "$name"; done
  fi
  setup_compiler
}

setup_optional() {
  (apt_install "$1") && return
  say "$1 is not available here; Perrin works without it (docs/setup.md says what to do instead)"
  mkdir -p "$cache/not-offered" && : >"$cache/not-offered/$1"
}

# C++20 as Perrin uses it needs g++ 12. A compiler that the user chose is left alone.
setup_compiler() {
  [[ -z ${CXX:-} ]] && (($(g++ -dumpversion | cut -d. -f1) < 12)) || return 0
  local missing
  missing=$(packages old-gcc | not_installed | xargs)
  [[ -z $missing ]] || apt_install $missing || die "g++ is older than 12 and apt-get could not install: $missing"
  export CC=gcc-12 CXX=g++-12
}

# ---- Python environments

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

# ---- LibTorch

pinned() { awk -v name="$1" '$2 == name { print $3 }' "$root/.ci/libtorch.txt"; }

# Sets $libtorch, a folder that holds torch/lib or lib. setup_libtorch [cuda]
setup_libtorch() {
  if [[ -n ${PERRIN_LIBTORCH:-} ]]; then
    libtorch=$(realpath -m "$PERRIN_LIBTORCH")
    [[ -e $libtorch/lib/libtorch_cpu.so || -e $libtorch/torch/lib/libtorch_cpu.so ]] ||
      die "PERRIN_LIBTORCH=$PERRIN_LIBTORCH holds no lib/libtorch_cpu.so and no torch/lib/libtorch_cpu.so"
    return
  fi
  libtorch=$cache/libtorch-$(pinned torch)
  local missing
  missing=$(missing_wheels "^(cpu${1:+|$1})$")
  [[ -n $missing ]] || return 0
  mkdir -p "$cache/downloads"
  exec 8>"$cache/lock"
  flock 8
  missing=$(missing_wheels "^(cpu${1:+|$1})$")
  [[ -z $missing ]] || get_wheels "$missing"
  exec 8>&-
}

# missing_wheels SETS: the pins of those sets that $libtorch does not hold, one per line.
missing_wheels() {
  local set name version sha256
  while read -r set name version sha256; do
    [[ $set =~ $1 && ! -d $libtorch/${name//-/_}-$version.dist-info ]] && echo "$name $version $sha256"
  done <"$root/.ci/libtorch.txt"
  return 0
}

# The base set appears in one rename; later sets are added wheel by wheel, each complete or absent.
get_wheels() {
  local name version sha256 urls folder=$libtorch
  [[ -d $folder ]] || folder=$libtorch.part
  mkdir -p "$folder"
  setup_venv "$cache/venv-setup"
  urls=$(find_wheels "$1")
  while read -r name version sha256; do
    [[ ! -d $folder/${name//-/_}-$version.dist-info ]] || continue
    say "downloading $name $version"
    download "$sha256" "$(awk -v sha="$sha256" '$1 == sha { print $2 }' <<<"$urls")" "$name $version"
    python3 "$root/.ci/unpack_wheel.py" "$cache/downloads/$sha256.whl" "$folder" ||
      die "could not unpack $name $version into $folder (is the disk full?)"
    rm "$cache/downloads/$sha256.whl"
  done <<<"$1"
  [[ $folder == "$libtorch" ]] || mv "$folder" "$libtorch"
}

# Asks pip, with the user's configuration, where it would take the pins from: lines of "sha256 URL". Nothing is
# installed; fast-deps reads a wheel's metadata by range requests, so the wheels are not downloaded either.
find_wheels() {
  local report=$cache/downloads/report.json log=$cache/downloads/pip.log platform platforms=()
  for platform in 2_28 2_27 2_18 2_25 2_17; do platforms+=(--platform "manylinux_${platform}_x86_64"); done
  "$cache/venv-setup/bin/pip" install --dry-run --ignore-installed --no-deps --use-feature=fast-deps --retries 2 \
    --only-binary :all: --implementation cp --python-version 3.11 "${platforms[@]}" --platform manylinux2014_x86_64 \
    --target "$cache/downloads" --report "$report" $(awk '{ print $1 "==" $2 }' <<<"$1") >"$log" 2>&1 || no_index "$log"
  python3 -c 'import json, sys
for wheel in json.load(open(sys.argv[1]))["install"]:
    print(wheel["download_info"]["archive_info"]["hashes"]["sha256"], wheel["download_info"]["url"])' "$report"
}

verified() { [[ -e $2 ]] && sha256sum --status -c <<<"$1  $2"; }

# download SHA256 URL WHAT -> $cache/downloads/SHA256.whl. An interrupted download continues; a wrong file is dropped.
download() {
  local file=$cache/downloads/$1.whl progress=--progress-bar
  [[ -t 2 ]] || progress="--silent --show-error"
  verified "$1" "$file" && return
  [[ -n $2 ]] || die "the package index offers another file for $3 than the pinned one (sha256 $1)" \
    "Point pip at an index with the original wheels, or set PERRIN_LIBTORCH=FOLDER."
  if ! verified "$1" "$file.part"; then
    curl --fail --location --continue-at - --retry 5 --retry-connrefused --connect-timeout 30 $progress \
      --output "$file.part" "$2" >&2 </dev/null || broken_download $? "$file.part" "$3"
  fi
  verified "$1" "$file.part" || { rm -f "$file.part"; die "the download of $3 does not have the pinned sha256 $1; it was deleted" \
    "Run the same command again."; }
  mv "$file.part" "$file"
}

# A server that refuses the range (22, 33) cannot continue this file: the next try starts afresh.
broken_download() {
  [[ $1 != 22 && $1 != 33 ]] || rm -f "$2"
  die "the download of $3 stopped (curl exit $1)" \
    "Check the network and run the same command again: it continues where it stopped."
}

# LibTorch: the wheels of .ci/pins.txt, or the folder that PERRIN_LIBTORCH names. Sourced by setup.sh.

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
  done <"$root/.ci/pins.txt"
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
    python3 "$root/.ci/unpack_wheel.py" "$cache/downloads/$sha256" "$folder" ||
      die "could not unpack $name $version into $folder (is the disk full?)"
    rm "$cache/downloads/$sha256"
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

# download SHA256 URL WHAT -> $cache/downloads/SHA256. An interrupted download continues; a wrong file is dropped.
download() {
  local file=$cache/downloads/$1 progress=--progress-bar
  [[ -t 2 ]] || progress="--silent --show-error"
  verified "$1" "$file" && return
  [[ -n $2 ]] || die "the package index offers another file for $3 than the pinned one (sha256 $1)" \
    "Point pip at an index with the original wheels, or set PERRIN_LIBTORCH=FOLDER."
  if ! verified "$1" "$file.part"; then
    curl --fail --location --continue-at - --retry 5 --retry-connrefused --connect-timeout 30 $progress \
      --output "$file.part" "$2" >&2 </dev/null || broken_download $? "$file.part" "$3"
  fi
  if ! verified "$1" "$file.part"; then
    rm -f "$file.part"
    die "the download of $3 does not have the pinned sha256 $1; it was deleted" "Run the same command again."
  fi
  mv "$file.part" "$file"
}

# A server that refuses the range (22, 33) cannot continue this file: the next try starts afresh.
broken_download() {
  [[ $1 != 22 && $1 != 33 ]] || rm -f "$2"
  die "the download of $3 stopped (curl exit $1)" \
    "Check the network and run the same command again: it continues where it stopped."
}

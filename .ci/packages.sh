# System packages: what .ci/packages.txt lists, by apt-get. Sourced by setup.sh.

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

can_install() { ((EUID == 0)) || command -v sudo >/dev/null; }

apt_install() {
  local as_root=()
  can_install || die "packages are missing, and there is neither root nor sudo to install them" "apt-get install $*"
  ((EUID == 0)) || as_root=(sudo)
  say "installing packages: $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
    install --no-install-recommends "$@" >&2 </dev/null
}

apt_update() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=600 update >&2 </dev/null ||
    say "apt-get update failed; going on with the old package lists"
}

foreign_system() {
  local tool missing=()
  for tool in g++ cmake ninja python3 curl git; do command -v $tool >/dev/null || missing+=("$tool"); done
  ((${#missing[@]} == 0)) || die "this is not a Debian or Ubuntu system, and these tools are missing: ${missing[*]}" \
    "Install them and your system's equivalents of the packages in .ci/packages.txt:" "$(packages '' | xargs)"
}

# What apt offers ends up installed. A pinned or optional package that it does not offer, or that nobody here may
# install, is remembered, so that only `./perrin setup` asks for it again.
setup_packages() {
  [[ $(uname -sm) == "Linux x86_64" ]] || die "Perrin builds on Linux x86_64 only; this is $(uname -sm)"
  if ! command -v dpkg-query apt-get >/dev/null; then foreign_system; return; fi
  mkdir -p "$cache/downloads" "$cache/not-offered"
  local missing extra name
  missing=$(packages '' | not_installed | xargs)
  extra=$({ packages pinned; packages optional; } | not_installed | while read -r name; do
    [[ -e $cache/not-offered/$name ]] || echo "$name"
  done)
  if [[ -n $missing || -n $extra ]]; then
    if can_install; then apt_update; fi
    for name in $extra; do
      if can_install && apt-cache show "$name" >/dev/null 2>&1; then missing+=" $name"; else setup_without "$name"; fi
    done
    [[ -z $missing ]] || apt_install $missing || die "apt-get could not install: $missing" "Its messages are above."
  fi
  if [[ -e $cache/not-offered/libtomlplusplus-dev ]]; then setup_tomlplusplus; fi
  setup_compiler
}

setup_without() {
  say "going on without the package $1 (docs/setup.md says what that means; ./perrin setup tries again)"
  : >"$cache/not-offered/$1"
}

# A header-only library: its package is unpacked in the cache, from the mirror that apt uses.
setup_tomlplusplus() {
  local version sha256 folder mirror name=libtomlplusplus-dev
  version=$(pinned $name)
  folder=$cache/tomlplusplus-$version
  export CMAKE_INCLUDE_PATH=$folder/usr/include
  [[ ! -d $folder ]] || return 0
  sha256=$(awk -v name=$name '$2 == name { print $4 }' "$root/.ci/pins.txt")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
  say "downloading $name $version"
  download "$sha256" "${mirror}pool/universe/t/tomlplusplus/${name}_${version}_amd64.deb" "$name $version"
  dpkg-deb -x "$cache/downloads/$sha256" "$folder.part" && mv "$folder.part" "$folder" ||
    die "could not unpack $name $version into $folder (is the disk full?)"
}

# C++20 as Perrin uses it needs g++ 12. A compiler that the user chose is left alone.
setup_compiler() {
  [[ -z ${CXX:-} ]] && (($(g++ -dumpversion | cut -d. -f1) < 12)) || return 0
  local missing
  missing=$(packages old-gcc | not_installed | xargs)
  [[ -z $missing ]] || apt_install $missing || die "g++ is older than 12 and apt-get could not install: $missing"
  export CC=gcc-12 CXX=g++-12
}

#!/usr/bin/env bash
# Builds the images that pgherd runs on Kubernetes, of Debian's packages (README.md).
#
#   deploy/images/build.sh [OPTION...] [postgres|pgbouncer|operator ...]      all three unless named
#
#   --tool docker|podman|buildah   what builds; the first of them that works unless named
#   --base registry|mmdebstrap     Debian's image from a registry (the default), or one made here of packages
#   --release NAME                 Debian's release, trixie unless named
#   --majors "17 18"               majors of PostgreSQL, an image each; 17 unless named
#   --pgdg                         PostgreSQL from the project's own package archive, which has more majors
#   --repository NAME              what the images' names begin with, localhost/pgherd unless named
#   --tag TAG                      latest part of pgbouncer's and the operator's names; package.json's version
#                                  unless named. PostgreSQL's is MAJOR-TAG.
#   --save DIRECTORY               writes each image as a tar file there, too, for machines without a registry
#
# The names of the images are printed, a line each. Exit: 0 when all were built, 1 when one failed, 2 bad usage.
set -euo pipefail
here=$(cd -- "${BASH_SOURCE[0]%/*}" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "build.sh: $1"
  exit "${2:-1}"
}

tool=
base=registry
release=trixie
majors=17
pgdg=no
repository=localhost/pgherd
tag=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/package.json")
save=
wanted=()
while (($# > 0)); do
  case $1 in
  --pgdg) pgdg=yes ;;
  --tool | --base | --release | --majors | --repository | --tag | --save)
    (($# > 1)) || die "$1 takes a value" 2
    printf -v "${1#--}" '%s' "$2"
    shift
    ;;
  postgres | pgbouncer | operator) wanted+=("$1") ;;
  -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) die "unknown argument $1; --help lists them" 2 ;;
  esac
  shift
done
((${#wanted[@]} > 0)) || wanted=(postgres pgbouncer operator)
[[ $base == registry || $base == mmdebstrap ]] || die "--base is registry or mmdebstrap, not $base" 2
[[ $majors =~ ^[0-9]+(\ [0-9]+)*$ ]] || die "--majors takes numbers with spaces between, not '$majors'" 2

# A client without its engine is no tool: ask each for something that needs the engine.
works() { command -v "$1" >/dev/null && "$1" images >/dev/null 2>&1; }
if [[ -z $tool ]]; then
  for candidate in docker podman buildah; do
    if works "$candidate"; then
      tool=$candidate
      break
    fi
  done
  [[ -n $tool ]] || die 'neither docker, podman nor buildah works here; one of them is needed'
fi
[[ $tool == docker || $tool == podman || $tool == buildah ]] || die "--tool is docker, podman or buildah, not $tool" 2
works "$tool" || die "$tool does not work here: try '$tool images'"
[[ -z $save ]] || mkdir -p "$save"

work=$(mktemp -d "${TMPDIR:-/tmp}/pgherd-images.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Where packages come from while an image is built. A base from a registry names its archives itself. A base made
# here has none: it gets this machine's, for the time of the build only, so that no image names them.
archives=$work/archives
mkdir "$archives"
sourcesHere() {
  local uris main security
  # shellcheck disable=SC2016 # apt's own placeholders
  uris=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | sort -u)
  main=$(sed -n 's/^Debian \([^c]\)/\1/p' <<<"$uris" | head -n 1)
  security=$(sed -n 's/^Debian-Security //p' <<<"$uris" | head -n 1)
  [[ -n $main ]] || die 'this machine has no package source of Debian; use --base registry'
  printf 'deb %s %s main\n' "$main" "$release" "$main" "$release-updates"
  [[ -z $security ]] || printf 'deb %s %s-security main\n' "$security" "$release"
}

# sets `baseImage`
makeBase() {
  if [[ $base == registry ]]; then
    baseImage=docker.io/library/debian:$release-slim
    return
  fi
  command -v mmdebstrap >/dev/null || die 'mmdebstrap is missing: apt-get install mmdebstrap'
  baseImage=$repository-base:$release
  sourcesHere >"$archives/sources.list"
  apt-config dump | grep -i '^Acquire::[a-z]*::Proxy' >"$archives/apt.conf" || true
  cat >>"$archives/apt.conf" <<'CONF'
Dir::Etc::sourcelist "/build/archives/sources.list";
Dir::Etc::sourceparts "/dev/null";
CONF
  mapfile -t sources <"$archives/sources.list"
  say "base: Debian $release by mmdebstrap"
  # shellcheck disable=SC2016 # for mmdebstrap's own shell
  mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*' \
    --customize-hook='rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$release" "$work/base.tar" "${sources[@]}"
  if [[ $tool == buildah ]]; then
    local container
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/base.tar" / >/dev/null
    buildah commit --quiet "$container" "$baseImage" >/dev/null
    buildah rm "$container" >/dev/null
  else
    "$tool" import "$work/base.tar" "$baseImage" >/dev/null
  fi
  rm "$work/base.tar"
}

# The operator's files: what npm would publish, and the packages of the lock file, in a tree of their own.
operatorFiles() {
  local app=$work/context/app
  mkdir -p "$app/scripts"
  cp -a "$root/package.json" "$root/package-lock.json" "$root/LICENSE" "$root/src" "$app/"
  cp -a "$root/scripts/bootstrap.sh" "$app/scripts/"
  find "$app/src" \( -name '*.unit.test.ts' -o -name '*Fixture.ts' -o -name testing \) -prune -exec rm -rf {} +
  bash "$app/scripts/bootstrap.sh" prod
  rm -rf "$app/.cache" "$app/scripts"
  chmod -R a+rX "$app"
}

# build FILE IMAGE [BUILD ARGUMENT...]
build() {
  local file=$1 image=$2 command=(build) arguments=()
  shift 2
  [[ $tool != buildah ]] || command=(build --format docker)
  local argument
  for argument in "BASE=$baseImage" "$@"; do arguments+=(--build-arg "$argument"); done
  say "$image"
  # The builder's network is the machine's: the package archives of this machine may be on it only.
  DOCKER_BUILDKIT=1 "$tool" "${command[@]}" --network host "${arguments[@]}" --file "$here/$file.Containerfile" \
    --tag "$image" "$work/context" >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    die "$image could not be built"
  }
  if [[ -n $save ]]; then
    local archive=${image##*/}
    archive=$save/${archive//:/-}.tar
    rm -f "$archive"
    if [[ $tool == buildah ]]; then
      buildah push --quiet "$image" "docker-archive:$archive:$image"
    else
      "$tool" save --output "$archive" "$image"
    fi
  fi
  printf '%s\n' "$image"
}

mkdir "$work/context"
makeBase
cp "$here"/install*.sh "$work/context/"
mv "$archives" "$work/context/archives"
for image in "${wanted[@]}"; do
  case $image in
  postgres)
    for major in $majors; do
      build postgres "$repository-postgres:$major-$tag" "MAJOR=$major" "PGDG=$pgdg"
    done
    ;;
  pgbouncer) build pgbouncer "$repository-pgbouncer:$tag" ;;
  operator)
    operatorFiles
    build operator "$repository-operator:$tag"
    ;;
  esac
done

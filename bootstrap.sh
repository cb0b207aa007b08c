#!/usr/bin/env bash
# Makes .venv from requirements.lock on a machine with any Python, or none that fits.
#
#   bootstrap.sh              the environment (nothing to do when it is there and up to date)
#   bootstrap.sh browser      a headless Chromium for the test of the report
#   bootstrap.sh taufactor    .venv-taufactor: the same with TauFactor, to compare with; exit status 75
#                             where it cannot be had: no room on the disk, no index
#   bootstrap.sh uv           prints where uv is, fetched if need be
#
# Looks for Python 3.12 or 3.13 in $PYTHON, on PATH and under pyenv; else uv downloads one.
# Installs with uv, or with pip where uv cannot be had. As root on Debian, missing system packages
# are installed; else one line says what to install, and what can go on goes on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}"
export PIP_DISABLE_PIP_VERSION_CHECK=1
# Trust what the machine trusts (a proxy of the house may sign for the index); two names by age of uv.
for store in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ ! -s "$store" ] || export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
done

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
absent() { say "$*"; exit 75; }

# ---- system packages --------------------------------------------------------------------------

compiles() { # Whether the C compiler finds its own headers and links.
  printf '#include <math.h>\nint main(void) { return (int)cos(0.0) - 1; }\n' |
    "${CC:-cc}" -x c - -o /dev/null -lm 2>/dev/null
}

# PyVista draws off-screen through EGL and Mesa's software driver; without libEGL Python segfaults.
# Of these the PyVista wheel carries none: each line is a library and the Debian package that has it.
graphics="libEGL.so.1 libegl1
libEGL_ libegl-mesa0
libGL.so.1 libgl1
libGLX_ libglx-mesa0
libX11.so.6 libx11-6
libXrender.so.1 libxrender1"

missing_graphics() {
  local known library package
  known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null) || return 0
  while read -r library package; do
    case "$known" in *"$library"*) ;; *) echo "$package" ;; esac
  done <<<"$graphics"
}

have_browser() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && return 0
  done
  return 1
}

on_debian() { command -v apt-get >/dev/null && grep -qsE '^ID(_LIKE)?=.*debian' /etc/os-release; }

install_packages() { # $1 what for, the rest Debian packages; never fails, says what is missing.
  local purpose="$1" package
  shift
  if [ "$(id -u)" != 0 ] || ! on_debian; then
    say "please install (names of Debian packages): $* — needed $purpose; going on without"
    return 0
  fi
  say "installing system packages $purpose: $*"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq </dev/null >/dev/null || true
  apt-get install -qq -y --no-install-recommends "$@" </dev/null >/dev/null 2>&1 && return 0
  for package in "$@"; do
    apt-get install -qq -y --no-install-recommends "$package" </dev/null >/dev/null 2>&1 ||
      say "could not install $package — needed $purpose; going on without"
  done
}

system_packages() {
  local missing
  compiles || install_packages "to compile the weak forms" gcc libc6-dev
  missing=$(missing_graphics)
  # shellcheck disable=SC2086  # one word per package
  [ -z "$missing" ] || install_packages "to draw the pictures of the report" $missing
}

# ---- Python and uv ----------------------------------------------------------------------------

# Fit: it runs (a pyenv shim may not), the lock's wheels exist for it, and it has the header that
# compiled forms include (Debian's python3 has it only with python3-dev).
fits() {
  "$1" - <<'PY' >/dev/null 2>&1
import os, struct, sys, sysconfig
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(not ((3, 12) <= sys.version_info[:2] <= (3, 13) and struct.calcsize("P") == 8
              and sys.implementation.name == "cpython" and os.path.exists(header)))
PY
}

candidates() { # Interpreters to try, best first; the lock is tested with 3.12.
  local version root path
  [ -z "${PYTHON:-}" ] || echo "$PYTHON"
  for version in 3.12 3.13; do type -ap "python$version" || true; done
  type -ap python3 python || true
  root="${PYENV_ROOT:-$HOME/.pyenv}"
  ! command -v pyenv >/dev/null || root=$(pyenv root 2>/dev/null || echo "$root")
  for version in 3.12 3.13; do
    for path in "$root/versions/$version".*/bin/python; do [ ! -x "$path" ] || echo "$path"; done
  done
}

find_python() { # The first that fits: its real path, as a shim depends on the folder and a .venv goes.
  local path
  while read -r path; do
    if fits "$path"; then
      "$path" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
      return 0
    fi
  done < <(candidates)
  return 1
}

any_python() { # Any interpreter that runs pip or venv, to fetch uv with.
  local path
  while read -r path; do
    "$path" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 &&
      { "$path" -c 'import ensurepip' || "$path" -c 'import pip'; } >/dev/null 2>&1 &&
      { echo "$path"; return 0; }
  done < <(candidates)
  return 1
}

find_uv() { # uv from PATH, or fetched into .bootstrap/ by whatever Python there is.
  local helper
  if uv --version >/dev/null 2>&1; then command -v uv; return 0; fi
  if .bootstrap/bin/uv --version >/dev/null 2>&1; then echo "$PWD/.bootstrap/bin/uv"; return 0; fi
  helper=$(any_python) || {
    install_packages "to fetch uv" python3-venv >&2
    helper=$(any_python) || return 1
  }
  rm -rf .bootstrap
  { "$helper" -m venv .bootstrap && .bootstrap/bin/python -m pip install -q "uv>=0.5"; } >&2 ||
    { rm -rf .bootstrap && "$helper" -m pip install -q --target .bootstrap "uv>=0.5" >&2; } ||
    return 1
  .bootstrap/bin/uv --version >/dev/null 2>&1 && echo "$PWD/.bootstrap/bin/uv"
}

use_index_of_pip() { # uv reads no configuration of pip: hand it the index that pip was told to use.
  local helper index
  [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] || return 0
  index="${PIP_INDEX_URL:-}"
  if [ -z "$index" ] && helper=$(any_python); then
    index=$("$helper" -m pip config get global.index-url 2>/dev/null) || index=""
  fi
  [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
}

# ---- the environment --------------------------------------------------------------------------

locked() { echo "$(sha256sum <requirements.lock) $PWD"; }   # scripts of a moved .venv do not run
packaged() { sha256sum <pyproject.toml; }
stamp() { cat ".venv/.voxtrode-$1" 2>/dev/null || true; }   # absent in a half-made .venv
installed() { [ "$(stamp lock)" = "$(locked)" ] && .venv/bin/python -c '' 2>/dev/null; }

install_in() { # $1 an environment, the rest arguments of `pip install`; through uv or pip.
  local environment="$1"
  shift
  if [ -n "$uv" ]; then
    "$uv" pip install --python "$environment/bin/python" "$@"
  else
    "$environment/bin/python" -m pip install -q "$@"
  fi
}

install() { install_in .venv "$@"; }

make_from_lock() { # With uv if it can be had, else with the pip of the Python found.
  rm -rf .venv
  if [ -n "$uv" ]; then
    if [ -n "$python" ]; then
      "$uv" venv -q --python "$python" .venv
    else
      say "no Python 3.12 or 3.13 with its headers found; uv fetches one"
      "$uv" venv -q --python 3.12 --python-preference only-managed .venv ||
        die "uv could not fetch a Python: install Python 3.12 with its headers, or set PYTHON to one"
    fi
  else
    "$python" -m venv .venv
  fi && install --require-hashes -r requirements.lock
}

make_environment() {
  local python uv
  python=$(find_python) || python=""
  uv=$(find_uv) || uv=""
  [ -n "$python$uv" ] ||
    die "found neither Python 3.12 or 3.13 nor a way to install uv: install Python 3.12, or set PYTHON to one"
  [ -z "$uv" ] || use_index_of_pip
  if ! installed; then
    say "making .venv from requirements.lock (2 GB)"
    make_from_lock || {
      [ -n "$uv" ] && [ -n "$python" ] || die "the installation failed; see above"
      say "uv failed; trying pip, which takes some minutes"
      uv="" && make_from_lock || die "the installation failed; see above"
    }
    locked >.venv/.voxtrode-lock
  fi
  install -q --no-deps --no-build-isolation --editable . || die "voxtrode does not install; see above"
  # Leaves byte code behind for the heavy ones, even where Python is told to write none: each stage
  # of a run is a process of its own, and compiling them anew takes longer than importing them.
  env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 .venv/bin/python -c 'import voxtrode
from mpi4py import MPI
import dolfinx, h5py, pandas, pint, porespy, pydantic, pyvista, rich, scipy, skimage, typer' ||
    die "the installed packages do not load; see above"
  packaged >.venv/.voxtrode-package
}

# ---- TauFactor ---------------------------------------------------------------------------------

# It brings PyTorch with CUDA, larger than all the rest: an environment of its own, so that .venv
# stays what its lock file says. The second lock file holds what comes on top of the first.
apart=.venv-taufactor
room=12 # GB: what it takes, downloads included

locked_apart() { echo "$(cat requirements.lock requirements-taufactor.lock | sha256sum) $PWD"; }

make_apart() {
  local uv free
  if [ "$(cat "$apart/.voxtrode-lock" 2>/dev/null)" = "$(locked_apart)" ] &&
    "$apart/bin/python" -c '' 2>/dev/null; then
    return 0
  fi
  free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1048576)}')
  [ "$free" -ge "$room" ] || absent "TauFactor needs $room GB on this disk, $free GB are free"
  uv=$(find_uv) || uv=""
  [ -z "$uv" ] || use_index_of_pip
  say "making $apart from requirements.lock and requirements-taufactor.lock (7 GB)"
  rm -rf "$apart"
  if [ -n "$uv" ]; then
    "$uv" venv -q --python .venv/bin/python "$apart"
  else
    .venv/bin/python -m venv "$apart"
  fi
  install_in "$apart" --require-hashes -r requirements.lock -r requirements-taufactor.lock &&
    install_in "$apart" -q --no-deps --no-build-isolation --editable . || {
    UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1 install_in "$apart" --dry-run --no-deps --force-reinstall taufactor ||
      absent "the package index cannot be reached, so that there is no TauFactor"
    die "TauFactor does not install; see above"
  }
  "$apart/bin/python" -c 'import taufactor, torch' || die "TauFactor does not load; see above"
  locked_apart >"$apart/.voxtrode-lock"
}

case "${1:-environment}" in
  browser)
    have_browser || install_packages "to test the report in a browser" chromium
    ;;
  environment)
    system_packages
    if ! installed || [ "$(stamp package)" != "$(packaged)" ]; then
      make_environment
      say ".venv is ready: $(.venv/bin/python --version)"
    fi
    ;;
  taufactor) make_apart ;;
  uv) find_uv || die "cannot fetch uv: install it, or a Python with pip" ;;
  *) die "unknown argument $1: bootstrap.sh [browser|taufactor|uv]" ;;
esac

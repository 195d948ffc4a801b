# The scripts source this file. It answers --help with the script's head, changes to the repository's
# top, and has functions that build, and that check a script's requirements.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
script=$(realpath --relative-to="$root" "$0")
caller=$PWD # a script whose arguments name files goes back there
memcoord=$(realpath -m "${MEMCOORD:-$root/build/memcoord}")
case " $* " in
  *' --help '* | *' -h '*) sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; exit ;;
esac
cd "$root" || exit
export CLICOLOR_FORCE=0

# fail MESSAGE: ends the script with an error.
fail() { echo "$script: $1" >&2; exit 1; }

# fail_usage MESSAGE: ends the script because of wrong arguments.
fail_usage() { echo "$script: $1; see $script --help" >&2; exit 2; }

# need_value OPTION...: fails where an option is the last argument.
need_value() { [ $# -ge 2 ] || fail_usage "$1 needs a value"; }

# need_whole_number NAME VALUE
need_whole_number() { [[ $2 =~ ^[1-9][0-9]*$ ]] || fail_usage "$1 is a whole number of at least 1, not '$2'"; }

# need_command COMMAND HOW_TO_INSTALL
need_command() { command -v "$1" >/dev/null || fail "the program $1 is missing; $2"; }

# need_built PROGRAM...
need_built() {
  local program
  for program in "$@"; do
    [ -x "$program" ] || fail "$program is missing; build it: cmake --preset dev && cmake --build build"
  done
}

need_memcoord() {
  [ -x "$memcoord" ] || fail "$memcoord is missing; scripts/demo builds it"
}

# need_guest_image BUILD_FOLDER
need_guest_image() {
  ctest --test-dir "$1" -R "lab: guest image" >/dev/null ||
    fail "the guest image is missing; ctest --test-dir $1 -R 'lab: guest image' -V says why"
}

# say_progress PID LOG: while PID builds, prints the newest build step ("[120/310]") once a minute.
say_progress() {
  local waited=0 step
  while kill -0 "$1" 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    if [ $((waited % 60)) -eq 0 ]; then
      step=$(grep -o '^\[[0-9]*/[0-9]*\]' "$2" | tail -n 1)
      echo "  $((waited / 60)) min: step ${step:-'[0/?]'}"
    fi
  done
}

# run_build LOG PRESET [TARGET...]: on a terminal, ninja's own line counts the steps.
run_build() {
  local log=$1 preset=$2
  shift 2
  cmake --preset "$preset" >"$log" 2>&1 || return
  if [ -t 1 ]; then
    cmake --build --preset "$preset" ${1:+--target "$@"} && : >"$log"
    return
  fi
  cmake --build --preset "$preset" ${1:+--target "$@"} >"$log" 2>&1 &
  say_progress $! "$log"
  wait $!
}

# configure_and_build PRESET [TARGET...]: where the build fails, prints the end of its log and exits.
configure_and_build() {
  local log
  log=$(mktemp)
  echo "building ($1) ..."
  if ! run_build "$log" "$@"; then
    tail -n 60 "$log"
    rm -f "$log"
    fail "the build ($1) failed; its last lines are above"
  fi
  rm -f "$log"
}

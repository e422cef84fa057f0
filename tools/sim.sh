# ./dev sim: session and reminder through many thousand simulated schedules.
# shellcheck shell=bash

sim_help="sim takes --seeds N (20000), --from SEED, --seed SEED to replay one with its trace, or --mutants for the table of
planted faults and the rule that catches each (with --seed: --mutant NAME plants one)"
sim_test=n05_no_schedule_breaks_an_invariant
while [ $# -gt 0 ]; do
  case "$1" in
    --mutants) export EVERKEY_SIM_MUTANTS=1 && sim_test=mutants_are_caught && shift ;;
    --seeds | --from | --seed | --mutant)
      [ $# -ge 2 ] || die "$1 wants a value. $sim_help"
      name=${1#--}
      export "EVERKEY_SIM_${name^^}=$2"
      shift 2
      ;;
    *) die "$sim_help" ;;
  esac
done
ensure_build_tools
cargo test -q -p everkey-session --test sim -- "$sim_test" --nocapture

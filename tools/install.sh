# ./dev install [--prefix DIR] [--remove]: builds a release and puts it into place, or takes it away again.
# shellcheck shell=bash
. tools/stage.sh
case " $* " in
  *" --remove "* | *" -h "* | *" --help "*) exec packaging/install "$@" ;;
esac
ensure_build_tools
cargo build --workspace --bins --release
stage target/stage target/release
exec target/stage/install "$@"

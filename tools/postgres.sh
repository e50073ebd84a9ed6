#!/usr/bin/env bash
# PostgreSQL from Debian's packages, for the tests that run on a real server. They start one of their
# own in a temporary directory. Where it cannot be installed they are skipped, with the reason.
set -u
have() { command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
if have; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "postgres: no apt-get here; install PostgreSQL yourself (initdb, pg_ctl and createdb)"; exit 0
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
  if sudo -n true 2>/dev/null; then as_root="sudo -n"; else
    echo "postgres: not allowed to install; run: sudo apt-get install postgresql"; exit 0
  fi
fi
# No cluster is made and no server started: the tests need the programs alone.
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  $as_root mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
$as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends postgresql \
  || echo "postgres: installing postgresql failed"
exit 0

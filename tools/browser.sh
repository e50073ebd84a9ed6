#!/usr/bin/env bash
# Chromium and a CJK font from Debian's packages, for the browser tests. Where they cannot be
# installed the tests say NOT RUN, each by its name.
set -u
have() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; }
font() { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh family 2>/dev/null)" ]; }
if have && font; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "browser: no apt-get here; install Chromium and a Chinese font yourself"; exit 0
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
  if sudo -n true 2>/dev/null; then as_root="sudo -n"; else
    echo "browser: not allowed to install; run: sudo apt-get install chromium fonts-noto-cjk"; exit 0
  fi
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig \
  || echo "browser: installing chromium fonts-noto-cjk failed"
exit 0

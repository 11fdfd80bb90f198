#!/usr/bin/env bash
# Installs the programs that the peer tests talk to, on Debian and as root. What is there already is left alone.
set -euo pipefail

packages=(git subversion mercurial brz darcs cvs tla openssh-server openssh-client patch procps buildbot buildbot-worker python3-twisted ngircd inspircd anope openssl chromium postgresql exim4-daemon-light python3-aiosmtpd)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ "${#missing[@]}" = 0 ] && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${missing[@]}"

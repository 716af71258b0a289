#!/usr/bin/env bash
# Installs the programs that the tests run, on Debian as root; elsewhere it names
# what is missing and fails. `deps.sh guest` is what e2e/guest needs instead.
set -euo pipefail

declare -A package=(
  [containerd]=containerd [runc]=runc [dockerd]=docker.io [iptables]=iptables
  [ip]=iproute2 [nsenter]=util-linux [unshare]=util-linux [strace]=strace
  [chromium]=chromium [npm]=npm [gcc]=build-essential [dbus-daemon]=dbus-daemon [mkfs.btrfs]=btrfs-progs
  [/usr/lib/cni/ptp]=containernetworking-plugins [nft]=nftables
)
if [ "${1:-}" = guest ]; then
  package=([qemu-system-x86_64]=qemu-system-x86 [debootstrap]=debootstrap [mkfs.ext4]=e2fsprogs)
fi
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if [ -f /etc/debian_version ] && [ "$(id -u)" -eq 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
  echo "the tests need what these Debian packages have: ${missing[*]}" >&2
  echo "install them, or run 'make deps' as root on Debian" >&2
  exit 1
fi

#!/usr/bin/env bash
# Makes the guest's image unless the cache has it, and prints its directory:
# root.img, vmlinuz, initrd. Needs root, for debootstrap.
#
# The guest is Debian as users run it: systemd, pure cgroup v2, containerd, runc
# and Docker from its packages. It has no partition and no boot loader, and is
# made without a loop device, so that it can be made inside of a container.
#
# An image is kept under a name made of everything that it is made from; a build
# appears there whole or not at all. KERNEL is bookworm (6.1, the default) or
# backports (6.12).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${KERNEL:-bookworm}
size=3G # of the disk; what is not written takes no space
unused=14 # days after which an image that nobody ran goes

cache=${XDG_CACHE_HOME:-$HOME/.cache}/loadline/guest
key=$({ echo "$kernel"; cd "$here"; find image.sh rootfs -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16)
image=$cache/$key
mkdir -p "$cache"
exec {lock}>"$cache/lock" # one builds, others wait and find it
flock "$lock"
if [ -d "$image" ]; then
  touch "$image"
  echo "$image"
  exit
fi
find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime "+$unused" -exec rm -rf {} +

work=$cache/$key.part # whatever a build that was killed left there
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
root=$work/rootfs log=$work/log
started=$SECONDS
step() { echo "guest image: $1, after $((SECONDS - started)) s" >&2; }
trap 'echo "guest image: failed; the end of its log:" >&2; tail -n 30 "$log" >&2' ERR

# The mirror that this machine uses itself.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 -E '/debian/?$' || true)
mirror=${mirror:-http://deb.debian.org/debian}
debootstrap --variant=minbase \
  --include=ca-certificates,systemd-sysv,udev,dbus,kmod,iproute2,procps bookworm "$root" "$mirror" >"$log" 2>&1
step "bookworm is unpacked"

{
  echo "deb $mirror bookworm main"
  echo "deb $mirror bookworm-updates main"
  echo "deb $mirror bookworm-backports main"
} >"$root/etc/apt/sources.list"
cat >"$root/etc/apt/apt.conf.d/guest" <<'CONF'
Dpkg::Options:: "--force-unsafe-io";
APT::Install-Recommends "0";
Acquire::Languages "none";
CONF
cat >"$root/etc/dpkg/dpkg.cfg.d/guest" <<'CONF'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
CONF
# Nothing starts while packages are unpacked.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
# The initrd has to find the disk and nothing else.
mkdir -p "$root/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=lz4\n' >"$root/etc/initramfs-tools/conf.d/guest"
printf 'virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n' >"$root/etc/initramfs-tools/modules"
cp /etc/resolv.conf "$root/etc/resolv.conf"

case $kernel in
  bookworm) from=bookworm ;;
  backports) from=bookworm-backports ;;
  *) echo "guest image: KERNEL is $kernel, want bookworm or backports" >&2; exit 2 ;;
esac
# A mount namespace of its own: nothing stays mounted, whatever happens.
unshare --mount --propagation private bash -euc '
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  exec chroot "$1" env DEBIAN_FRONTEND=noninteractive bash -euc "
    apt-get -q update
    apt-get -q install -y initramfs-tools lz4
    apt-get -q install -y -t $2 linux-image-amd64
    apt-get -q install -y containerd runc docker.io containernetworking-plugins iptables
    apt-get clean"' - "$root" "$from" >>"$log" 2>&1 </dev/null
step "packages are installed"

rm -rf "$root/usr/sbin/policy-rc.d" "$root"/var/lib/apt/lists/*
cp -r "$here/rootfs/." "$root/"
chroot "$root" systemctl enable -q guest.service
chroot "$root" systemctl disable -q containerd.service docker.service docker.socket \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer 2>>"$log"
chroot "$root" systemctl mask -q systemd-timesyncd.service getty@tty1.service serial-getty@ttyS0.service \
  e2scrub_reap.service 2>>"$log"
cp "$root"/boot/vmlinuz-* "$work/vmlinuz"
cp "$root"/boot/initrd.img-* "$work/initrd"
truncate -s "$size" "$work/root.img"
mkfs.ext4 -q -F -O ^has_journal -E lazy_itable_init=1 -d "$root" "$work/root.img" >>"$log" 2>&1
rm -rf "$root"
mv "$work" "$image"
step "it is made"
echo "$image"

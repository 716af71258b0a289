#!/usr/bin/env bash
# boot.sh IMAGE SHARE boots a throw-away guest that runs SHARE/run as root, where
# SHARE is /mnt/host. It prints what that prints, as it comes, and ends with its
# status: 124 when it took longer than LIMIT seconds, 125 when the guest ended
# without one.
#
# Processors are emulated, so that it runs where there is no KVM: on a laptop, in
# a container and in CI alike. Programs written in Go take five to ten times as
# long there.
set -euo pipefail
image=$1 share=$(cd "$2" && pwd)
limit=${LIMIT:-1800} # seconds

# la57=off: with five levels of page tables the kernel takes longer to boot.
# cgroup_no_v1, psi: as current distributions have it.
# A pipe, since qemu opens the path anew, which a socket or a file of somebody
# else's would not bear.
exec 3> >(exec cat)
printer=$!
status=0
rm -f "$share/status"
timeout --kill-after=5 --foreground "$limit" qemu-system-x86_64 \
  -accel tcg,thread=multi,tb-size=1024 -cpu max,la57=off -m "${MEMORY:-3072}" -smp 2 \
  -nodefaults -no-reboot -display none -nic none \
  -kernel "$image/vmlinuz" -initrd "$image/initrd" \
  -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off nokaslr audit=0 apparmor=0 \
systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all psi=1 systemd.show_status=0 lsm=landlock,yama,apparmor,bpf" \
  -drive "file=$image/root.img,format=raw,if=virtio,snapshot=on,cache=unsafe" \
  -virtfs "local,path=$share,mount_tag=host,security_model=none,multidevs=remap" \
  -device virtio-rng-pci -serial "file:$share/console" \
  -device virtio-serial-pci -chardev file,id=output,path=/dev/fd/3,append=on -device virtserialport,chardev=output,name=output \
  </dev/null || status=$?
exec 3>&-
wait "$printer"
if [ -f "$share/status" ]; then exit "$(cat "$share/status")"; fi
if [ "$status" -eq 124 ]; then
  echo "guest: not done after $limit s" >&2
  exit 124
fi
echo "guest: it ended (qemu: $status) before its job did; the end of its console:" >&2
tail -n 30 "$share/console" >&2
exit 125
